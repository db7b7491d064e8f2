import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { byPath, Journal, type Received } from './upstream.ts';

export const PROTOBUF = 'application/x-protobuf';

/** What a script may do with a request. Doing nothing is no answer. */
export class HttpReply {
  readonly response: ServerResponse;

  constructor(response: ServerResponse) {
    this.response = response;
  }

  ok(body: Uint8Array | string = '', contentType = PROTOBUF): void {
    this.response.writeHead(200, { 'content-type': contentType }).end(body);
  }

  status(status: number, headers: Readonly<Record<string, string>> = {}, body: Uint8Array | string = ''): void {
    this.response.writeHead(status, headers).end(body);
  }

  /** Headers and the first bytes of a body that never comes to its end. */
  half(): void {
    this.response.writeHead(200, { 'content-type': PROTOBUF, 'content-length': '100' });
    this.response.write('half', () => this.response.socket?.destroy());
  }

  disconnect(): void {
    this.response.socket?.destroy();
  }

  /** RST instead of FIN. */
  reset(): void {
    (this.response.socket as Socket).resetAndDestroy();
  }
}

export interface HttpUpstream extends AsyncDisposable {
  readonly port: number;
  readonly journal: Journal;
}

export type HttpScript = (received: Received, reply: HttpReply) => void;

/** A server of OTLP/HTTP (HTTP/1.1) that does to each request what the script says. */
export async function httpUpstream(script: HttpScript = (_received, reply) => reply.ok()): Promise<HttpUpstream> {
  const journal = new Journal();
  const connections = new WeakMap<Socket, number>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const encoding = request.headers['content-encoding'];
      const whole = Buffer.concat(parts);
      const body = encoding === 'gzip' ? gunzipSync(whole) : encoding === 'zstd' ? zstdDecompressSync(whole) : whole;
      const received = journal.add({
        signal: byPath(String(request.url), 'httpPath') ?? 'traces',
        body,
        contentType: String(request.headers['content-type']),
        headers: Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)])),
        connection: connections.get(request.socket) ?? 0,
      });
      script(received, new HttpReply(response));
      journal.changed();
    });
  });
  server.on('connection', (socket) => {
    journal.connections += 1;
    connections.set(socket, journal.connections);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    journal,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** `otlp_http` to a scripted next hop: soon again, but no attempt is over because a busy machine stood still. */
export function toHttp(upstream: { readonly port: number }, more: object = {}): object {
  return {
    endpoint: `http://127.0.0.1:${upstream.port}`,
    compression: 'none',
    timeout: '60s',
    retry_on_failure: { initial_interval: '20ms', max_interval: '50ms', max_elapsed_time: '0s' },
    ...more,
  };
}

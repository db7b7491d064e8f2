import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { encodeStatus } from '../../../../agent/otlp/status.ts';
import { byPath, Journal, type Received } from './upstream.ts';

/** What a script may do with a call. Doing nothing is no answer. */
export class GrpcReply {
  readonly stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
  }

  get session(): ServerHttp2Session {
    return this.stream.session as ServerHttp2Session;
  }

  /** Success with the bytes of a response message. */
  ok(response: Uint8Array = new Uint8Array(0)): void {
    if (this.stream.destroyed) return;
    this.stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    this.stream.once('wantTrailers', () => this.stream.sendTrailers({ 'grpc-status': '0' }));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(response.length, 1);
    this.stream.end(Buffer.concat([prefix, response]));
  }

  /** A status, with RetryInfo where a time is given. */
  status(code: number, message = 'scripted', retryAfterMs?: number): void {
    if (this.stream.destroyed) return;
    const details =
      retryAfterMs === undefined ? {} : { 'grpc-status-details-bin': encodeStatus(code, message, retryAfterMs).toString('base64') };
    this.stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(code), 'grpc-message': message, ...details },
      { endStream: true },
    );
  }

  /** An answer that breaks off in the middle of its message. */
  half(): void {
    this.stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    this.stream.write(Buffer.from([0, 0, 0, 1, 0, 10]), () => this.session.destroy());
  }

  reset(code: number = constants.NGHTTP2_INTERNAL_ERROR): void {
    this.stream.close(code);
  }

  /** The connection ends without a word. */
  disconnect(): void {
    this.session.destroy();
  }
}

export interface GrpcUpstream extends AsyncDisposable {
  readonly port: number;
  readonly journal: Journal;
}

export type GrpcScript = (received: Received, reply: GrpcReply) => void;
export const ALWAYS_OK: GrpcScript = (_received, reply) => reply.ok();

/** A gRPC server that does to each call what the script says, over node:http2. `onSession` sees every connection first. */
export async function grpcUpstream(
  script: GrpcScript = ALWAYS_OK,
  onSession: (session: ServerHttp2Session, n: number) => void = () => undefined,
): Promise<GrpcUpstream> {
  const journal = new Journal();
  const sessions = new Map<ServerHttp2Session, number>();
  const server = createServer({ settings: { initialWindowSize: 8 * 1024 * 1024 } });
  server.on('session', (session) => {
    journal.connections += 1;
    sessions.set(session, journal.connections);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
    onSession(session, journal.connections);
    journal.changed();
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const parts: Buffer[] = [];
    const connection = sessions.get(stream.session as ServerHttp2Session) ?? 0;
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('end', () => {
      const signal = byPath(String(headers[':path']), 'grpcPath');
      const whole = Buffer.concat(parts);
      if (signal === undefined || whole.length < 5 || stream.destroyed) return;
      const received = journal.add({
        signal,
        body: whole[0] === 1 ? inflate(whole.subarray(5), String(headers['grpc-encoding'])) : whole.subarray(5),
        contentType: String(headers['content-type']),
        headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, String(value)])),
        connection,
      });
      script(received, new GrpcReply(stream));
      journal.changed();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    journal,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const session of sessions.keys()) session.destroy();
      await closed;
    },
  };
}

function inflate(body: Buffer, encoding: string): Buffer {
  return encoding === 'zstd' ? zstdDecompressSync(body) : gunzipSync(body);
}

/** `otlp_grpc` to a scripted next hop: soon again, but no attempt is over because a busy machine stood still. */
export function toGrpc(upstream: { readonly port: number }, more: object = {}): object {
  return {
    endpoint: `127.0.0.1:${upstream.port}`,
    tls: { insecure: true },
    compression: 'none',
    timeout: '60s',
    retry_on_failure: { initial_interval: '20ms', max_interval: '50ms', max_elapsed_time: '0s' },
    ...more,
  };
}

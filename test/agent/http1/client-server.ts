import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { HttpClient, HttpClientOptions, HttpEnd, HttpTarget } from '../../../agent/http1/client.ts';
import { createHttpClient } from '../../../agent/http1/client-pool.ts';
import { createUndiciClient } from '../../../agent/http1/client-undici.ts';

export const CLIENTS = [
  ['own', createHttpClient],
  ['undici', createUndiciClient],
] as const;

/** Bodies of answers above are not read, in these tests. */
export const MAX_ANSWER_BYTES = 1000;

export const OPTIONS: HttpClientOptions = {
  maxConnections: 0,
  keepAlives: true,
  idleTimeoutMs: 60_000,
  timeoutMs: 20_000,
  maxAnswerBytes: MAX_ANSWER_BYTES,
};

export function target(port: number, more: Partial<HttpTarget> = {}): HttpTarget {
  const headers = { host: `127.0.0.1:${port}`, 'content-type': 'application/x-protobuf' };
  return { host: '127.0.0.1', port, path: '/v1/traces', headers, ...more };
}

export function post(client: HttpClient, slices: readonly Uint8Array[] = [Buffer.from('spans')], encoding = 'identity'): Promise<HttpEnd> {
  const bytes = slices.reduce((sum, slice) => sum + slice.length, 0);
  return new Promise((resolve) => client.post({ encoding, slices, bytes }, resolve));
}

export interface RawRequest {
  /** Number of its connection, from 0. */
  readonly connection: number;
  /** Number of it on that connection, from 0. */
  readonly n: number;
  readonly head: string;
  readonly body: Buffer;
  readonly socket: Socket;
}

export interface RawServer {
  readonly port: number;
  readonly sockets: readonly Socket[];
  readonly requests: readonly RawRequest[];
  close(): Promise<void>;
}

/** A next hop on bare sockets, whose answers are bytes. `begun` is called with a connection, `answer` when a request is whole. */
export async function rawServer(
  answer: (request: RawRequest) => void,
  begun: (socket: Socket) => void = () => {},
  create: (onSocket: (socket: Socket) => void) => Server = (onSocket) => createServer({ noDelay: true, allowHalfOpen: true }, onSocket),
): Promise<RawServer> {
  const sockets: Socket[] = [];
  const requests: RawRequest[] = [];
  const server = create((socket) => {
    const connection = sockets.push(socket) - 1;
    let read = Buffer.alloc(0);
    let n = 0;
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (bytes) => {
      read = Buffer.concat([read, bytes]);
      for (;;) {
        const end = read.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/.exec(read.toString('latin1', 0, Math.max(end, 0)))?.[1] ?? 0);
        if (end < 0 || read.length < end + 4 + length) return;
        const request = { connection, n, head: read.toString('latin1', 0, end), body: read.subarray(end + 4, end + 4 + length), socket };
        read = read.subarray(end + 4 + length);
        n += 1;
        requests.push(request);
        answer(request);
      }
    });
    begun(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    requests,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Each piece in a packet of its own. */
export async function writePieces(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    if (pieces.length > 1) await turn();
  }
}

/** The bytes cut at these places. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length)).filter((piece) => piece.length > 0);
}

export const OK = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 2\r\n\r\n\n\0', 'latin1');

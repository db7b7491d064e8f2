import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Signal } from '../../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../../agent/otlp/signals.ts';
import { decodeStatus } from '../../../../agent/otlp/status.ts';
import { frame, type RawAnswer, RawGrpc } from '../../kit/raw-http2.ts';

export const PATHS: Readonly<Record<Signal, string>> = {
  traces: '/v1/traces',
  metrics: '/v1/metrics',
  logs: '/v1/logs',
  profiles: '/v1development/profiles',
};

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface PostOptions {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without a content-length, in chunks of this size. */
  readonly chunkBytes?: number;
}

/** One HTTP/1.1 request on a connection of its own; nothing is added, decoded or followed. */
export function post(port: number, body: Uint8Array | string, options: PostOptions = {}): Promise<HttpAnswer> {
  const { chunkBytes } = options;
  const bytes = Buffer.from(body as Uint8Array);
  const agent = new Agent({ keepAlive: false });
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      agent,
      method: options.method ?? 'POST',
      path: options.path ?? PATHS.traces,
      headers: {
        'content-type': 'application/x-protobuf',
        ...(chunkBytes === undefined ? { 'content-length': String(bytes.length) } : { 'transfer-encoding': 'chunked' }),
        ...options.headers,
      },
    });
    let answered = false;
    outgoing.on('response', (response) => {
      answered = true;
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
      response.on('error', reject);
    });
    // A server may answer and close while we still write: what it said counts, EPIPE does not.
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (!answered) reject(error);
    });
    if (chunkBytes === undefined) outgoing.end(bytes);
    else {
      for (let at = 0; at < bytes.length; at += chunkBytes) outgoing.write(bytes.subarray(at, at + chunkBytes));
      outgoing.end();
    }
  });
}

/** What comes back on a TCP connection for these bytes, until the server closes it. */
export function rawSocket(port: number, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes));
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

/** One unary call on a connection of its own. */
export async function call(
  port: number,
  signal: Signal,
  message: Uint8Array,
  { gzip = false, path = SIGNAL_FACTS[signal].grpcPath }: { readonly gzip?: boolean; readonly path?: string } = {},
): Promise<RawAnswer> {
  const client = new RawGrpc(port);
  try {
    const framed = gzip ? frame(gzipSync(message), 1) : frame(message);
    return await client.call([framed], { ':path': path, ...(gzip ? { 'grpc-encoding': 'gzip' } : {}) });
  } finally {
    client.close();
  }
}

/** The message of a call that succeeded. */
export function messageIn(answer: RawAnswer): Buffer {
  return answer.body.subarray(5);
}

/** The google.rpc.Status of an HTTP answer in either encoding; undefined where the body is none. */
export function statusIn(answer: HttpAnswer): { readonly message: string } | undefined {
  const type = (answer.headers['content-type'] ?? '').split(';', 1)[0];
  if (type === 'application/json') {
    try {
      const { message } = JSON.parse(answer.body.toString()) as { message?: unknown };
      return typeof message === 'string' ? { message } : undefined;
    } catch {
      return undefined;
    }
  }
  return type === 'application/x-protobuf' ? decodeStatus(answer.body) : undefined;
}

/** RetryInfo of a gRPC status in milliseconds. */
export function retryInfoIn(answer: RawAnswer): number | undefined {
  return answer.details === undefined ? undefined : decodeStatus(answer.details)?.retryAfterMs;
}

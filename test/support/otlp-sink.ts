/**
 * An OTLP endpoint on loopback that keeps what it receives: OTLP/HTTP (protobuf) and OTLP/gRPC, real servers on free ports.
 * What a test asks for is decoded by the published .proto files; nothing is decoded while receiving, so that it takes load.
 *
 * @example
 *   const sink = await startOtlpSink();
 *   sink.respond((request) => (request.signal === 'traces' ? { status: 503 } : undefined));
 *   await sink.until(() => sink.spans().length === 10);
 *   await sink.close();
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import grpc from '@grpc/grpc-js';
import {
  encodeResponse,
  logsOf,
  metricsOf,
  SIGNALS,
  type Signal,
  type SinkLog,
  type SinkMetric,
  type SinkSpan,
  spansOf,
} from './otlp-decode.ts';

export type { Attributes, Signal, SinkLog, SinkMetric, SinkSpan, Value } from './otlp-decode.ts';

export interface SinkRequest {
  readonly signal: Signal;
  readonly transport: 'http' | 'grpc';
  /** HTTP headers or gRPC metadata, keys in lower case. */
  readonly headers: { readonly [name: string]: string };
  /** The message after decompression. */
  readonly body: Buffer;
  /** Bytes of the body on the wire; over gRPC the decompressed size, as grpc-js hides the other. */
  readonly wireBytes: number;
  /** Answered with success: only such requests count in spans(), metrics() and logs(). */
  readonly accepted: boolean;
}

/** What the sink answers; nothing is success. */
export interface SinkReply {
  /** HTTP status; over gRPC 429, 502, 503 and 504 become UNAVAILABLE, 400 INVALID_ARGUMENT, others INTERNAL. @default 200 */
  readonly status?: number;
  /** gRPC status code, where `status` does not say it well enough. */
  readonly grpcCode?: number;
  /** Extra HTTP headers or gRPC trailers, for instance `retry-after`. */
  readonly headers?: { readonly [name: string]: string };
  /** Success with a partial success in the body. */
  readonly partial?: { readonly rejected: number; readonly message: string };
  /** Breaks the connection without an answer (HTTP), UNAVAILABLE over gRPC. */
  readonly hangUp?: boolean;
}

export type Responder = (request: Omit<SinkRequest, 'accepted'>) => SinkReply | undefined | Promise<SinkReply | undefined>;

export interface OtlpSink {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly httpUrl: string;
  readonly httpPort: number;
  /** `127.0.0.1:PORT`. */
  readonly grpcAddress: string;
  readonly grpcPort: number;
  /** Every request that arrived whole, in the order of the answers, refused ones too. */
  readonly requests: readonly SinkRequest[];
  spans(): SinkSpan[];
  metrics(): SinkMetric[];
  logs(): SinkLog[];
  /** Sets how requests are answered from now on; undefined restores success. */
  respond(responder: Responder | undefined): void;
  /** Resolves as soon as the condition holds; it is looked at after every request. Rejects with `what` after the timeout. @default 120 s */
  until(condition: () => boolean, what?: string, timeoutMs?: number): Promise<void>;
  /** Stops both servers and cuts open connections. Safe to call twice. */
  close(): Promise<void>;
}

export interface OtlpSinkOptions {
  /** @default 0: a free port */
  readonly httpPort?: number;
  /** @default 0: a free port */
  readonly grpcPort?: number;
}

const HOST = '127.0.0.1';
const BY_PATH = new Map(Object.entries(SIGNALS).map(([signal, names]) => [names.path, signal as Signal]));

export async function startOtlpSink(options: OtlpSinkOptions = {}): Promise<OtlpSink> {
  const requests: SinkRequest[] = [];
  const watchers = new Set<() => void>();
  const decoded = new WeakMap<SinkRequest, unknown[]>();
  let responder: Responder | undefined;

  const take = async (request: Omit<SinkRequest, 'accepted'>): Promise<SinkReply> => {
    const reply = (await responder?.(request)) ?? {};
    requests.push({ ...request, accepted: !reply.hangUp && (reply.status ?? 200) < 300 && (reply.grpcCode ?? 0) === 0 });
    // After the answer is on its way, so that a test that was waiting does not overtake it.
    setImmediate(() => {
      for (const look of [...watchers]) look();
    });
    return reply;
  };
  const collect = <T>(signal: Signal, decode: (body: Buffer) => T[]): T[] =>
    requests
      .filter((request) => request.accepted && request.signal === signal)
      .flatMap((request) => {
        const items = (decoded.get(request) as T[] | undefined) ?? decode(request.body);
        decoded.set(request, items);
        return items;
      });

  const overHttp = await startHttp(options.httpPort ?? 0, take);
  const overGrpc = await startGrpc(options.grpcPort ?? 0, take).catch(async (error: unknown) => {
    await overHttp.close();
    throw error;
  });
  return {
    httpUrl: `http://${HOST}:${overHttp.port}`,
    httpPort: overHttp.port,
    grpcAddress: `${HOST}:${overGrpc.port}`,
    grpcPort: overGrpc.port,
    requests,
    spans: () => collect('traces', spansOf),
    metrics: () => collect('metrics', metricsOf),
    logs: () => collect('logs', logsOf),
    respond: (next) => {
      responder = next;
    },
    until: (condition, what = condition.toString(), timeoutMs = 120_000) => {
      if (condition()) return Promise.resolve();
      return new Promise<void>((resolve, reject) => {
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          watchers.delete(look);
          settle();
        };
        const look = (): void => {
          try {
            if (condition()) finish(resolve);
          } catch (error) {
            finish(() => reject(error as Error));
          }
        };
        const timer = setTimeout(
          () => finish(() => reject(new Error(`the sink waited ${timeoutMs} ms in vain for: ${what}; it has ${requests.length} requests`))),
          timeoutMs,
        );
        watchers.add(look);
      });
    },
    close: async () => {
      await Promise.all([overHttp.close(), overGrpc.close()]);
    },
  };
}

type Take = (request: Omit<SinkRequest, 'accepted'>) => Promise<SinkReply>;
interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

async function startHttp(port: number, take: Take): Promise<Listening> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => response.destroy());
    request.on('end', () => {
      const signal = BY_PATH.get(new URL(request.url ?? '/', 'http://sink').pathname);
      if (!signal) return void response.writeHead(404).end();
      if (request.method !== 'POST') return void response.writeHead(405).end();
      if (request.headers['content-type'] !== 'application/x-protobuf') return void response.writeHead(415).end();
      const wire = Buffer.concat(chunks);
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const body = decompress(wire, headers['content-encoding']);
      if (!body) return void response.writeHead(400).end();
      void take({ signal, transport: 'http', headers, body, wireBytes: wire.length }).then((reply) => {
        if (reply.hangUp) return void request.socket.destroy();
        const status = reply.status ?? 200;
        response.writeHead(status, { 'content-type': 'application/x-protobuf', ...reply.headers });
        response.end(status < 300 ? encodeResponse(signal, reply.partial) : undefined);
      });
    });
  });
  // Node's 5 s are over at once where a test computes for so long, and a request that is on its way then meets the end of its connection.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, HOST, resolve));
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

function decompress(wire: Buffer, encoding: string | undefined): Buffer | undefined {
  try {
    switch (encoding) {
      case undefined:
      case 'identity':
        return wire;
      case 'gzip':
        return gunzipSync(wire);
      case 'deflate':
        return inflateSync(wire);
      case 'br':
        return brotliDecompressSync(wire);
      case 'zstd':
        return zstdDecompressSync(wire);
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

async function startGrpc(port: number, take: Take): Promise<Listening> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  for (const [signal, names] of Object.entries(SIGNALS) as [Signal, (typeof SIGNALS)[Signal]][]) {
    const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
    server.addService(
      {
        export: {
          path: `/${names.service}/Export`,
          requestStream: false,
          responseStream: false,
          requestSerialize: bytes.serialize,
          requestDeserialize: bytes.deserialize,
          responseSerialize: bytes.serialize,
          responseDeserialize: bytes.deserialize,
        },
      },
      {
        export: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) => {
          const headers = Object.fromEntries(Object.entries(call.metadata.getMap()).map(([name, value]) => [name, String(value)]));
          void take({ signal, transport: 'grpc', headers, body: call.request, wireBytes: call.request.length }).then((reply) => {
            const code = grpcCodeOf(reply);
            const trailers = new grpc.Metadata();
            for (const [name, value] of Object.entries(reply.headers ?? {})) {
              trailers.set(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
            }
            if (code === grpc.status.OK) callback(null, encodeResponse(signal, reply.partial), trailers);
            else callback({ code, details: `the sink answers ${code}`, metadata: trailers });
          });
        },
      },
    );
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${HOST}:${port}`, grpc.ServerCredentials.createInsecure(), (error, result) =>
      error ? reject(error) : resolve(result),
    );
  });
  return {
    port: bound,
    close: async () => server.forceShutdown(),
  };
}

function grpcCodeOf(reply: SinkReply): number {
  if (reply.grpcCode !== undefined) return reply.grpcCode;
  if (reply.hangUp) return grpc.status.UNAVAILABLE;
  const status = reply.status ?? 200;
  if (status < 300) return grpc.status.OK;
  if (status === 400) return grpc.status.INVALID_ARGUMENT;
  return [429, 502, 503, 504].includes(status) ? grpc.status.UNAVAILABLE : grpc.status.INTERNAL;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { SIGNALS, type Signal } from '../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';
import { scan } from '../../../agent/otlp/wire.ts';

/** One request as the next hop got it. */
export interface Received {
  readonly signal: Signal;
  readonly body: Buffer;
  readonly items: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the sink answers: undefined is success. */
export interface GrpcAnswer {
  readonly code?: number;
  readonly message?: string;
  readonly details?: Buffer;
  readonly response?: Buffer;
}

export interface Sink {
  readonly port: number;
  readonly received: Received[];
  /** Items of the requests that were answered with success. */
  delivered(signal?: Signal): number;
  close(): Promise<void>;
}

const raw = (bytes: Buffer): Buffer => bytes;

/** The next hop as a real grpc-js server; `answer` may be slow, by a promise. */
export async function grpcSink(
  answer: (received: Received) => GrpcAnswer | undefined | Promise<GrpcAnswer | undefined> = () => undefined,
  port = 0,
): Promise<Sink> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  const received: Received[] = [];
  let delivered: Received[] = [];
  for (const signal of SIGNALS) {
    const path = SIGNAL_FACTS[signal].grpcPath;
    const definition = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    };
    server.addService({ Export: definition } as grpc.ServiceDefinition, {
      Export: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) => {
        const headers = Object.fromEntries(Object.entries(call.metadata.getMap()).map(([key, value]) => [key, String(value)]));
        const one: Received = { signal, body: call.request, items: itemsOf(signal, call.request), headers };
        received.push(one);
        void Promise.resolve(answer(one)).then((result) => {
          if (result?.code === undefined) {
            delivered.push(one);
            callback(null, result?.response ?? Buffer.alloc(0));
            return;
          }
          const metadata = new grpc.Metadata();
          if (result.details !== undefined) metadata.set('grpc-status-details-bin', result.details);
          callback({ code: result.code, details: result.message ?? 'no', metadata });
        });
      },
    });
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  return {
    port: bound,
    received,
    delivered: (signal) => sum(delivered, signal),
    close: async () => {
      server.forceShutdown();
      delivered = delivered.slice();
    },
  };
}

/** The next hop over HTTP/1.1; `answer` writes the response itself where it wants another than 200. */
export async function httpSink(
  answer: (received: Received, request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<Sink> {
  const received: Received[] = [];
  const delivered: Received[] = [];
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const signal = SIGNALS.find((one) => SIGNAL_FACTS[one].httpPath === incoming.url) ?? 'traces';
      const body = inflate(Buffer.concat(parts), incoming.headers['content-encoding']);
      const headers = Object.fromEntries(Object.entries(incoming.headers).map(([key, value]) => [key, String(value)]));
      const one: Received = { signal, body, items: itemsOf(signal, body), headers };
      received.push(one);
      if (answer(one, incoming, response)) return;
      delivered.push(one);
      response.writeHead(200, { 'content-type': 'application/x-protobuf' });
      response.end();
    });
  });
  // Node's 5 s are over at once where a test computes for so long, and a request that is on its way then meets the end of its connection.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received,
    delivered: (signal) => sum(delivered, signal),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function inflate(body: Buffer, encoding: string | undefined): Buffer {
  switch (encoding) {
    case 'gzip':
      return gunzipSync(body);
    case 'zstd':
      return zstdDecompressSync(body);
    case 'deflate':
      return inflateSync(body);
    default:
      return body;
  }
}

function itemsOf(signal: Signal, body: Buffer): number {
  const found = scan(signal, body);
  return found.ok ? found.items : -1;
}

function sum(list: readonly Received[], signal: Signal | undefined): number {
  return list.filter((one) => signal === undefined || one.signal === signal).reduce((total, one) => total + one.items, 0);
}

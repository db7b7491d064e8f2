/**
 * The embedded OTLP sink, a process of its own so that it shares no CPU time with what is measured: gRPC and HTTP on free ports of
 * loopback. It takes everything, keeps nothing and counts traces (count-spans.ts).
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import grpc from '@grpc/grpc-js';
import { SpanCount } from './count-spans.ts';
import { LOCAL } from './local.ts';
import type { SinkAnswer, SinkQuestion } from './messages.ts';

/** The smallest answer there is: an empty message, that is "all of it accepted". */
const ALL_ACCEPTED = Buffer.alloc(0);
const SERVICES = ['trace.v1.Trace', 'metrics.v1.Metrics', 'logs.v1.Logs'].map((name) => `opentelemetry.proto.collector.${name}Service`);
const GZIP_MAGIC = 0x1f;

const count = new SpanCount();
/** Answers with an error that OTLP forbids to retry. */
const refuses = process.argv.includes('--refuse');

const ports = { grpc: await startGrpc(), http: await startHttp() };
process.on('message', (_: SinkQuestion) => answer({ kind: 'counted', byService: count.byService() }));
// Our parent is gone: whoever it was for, nobody asks any more.
process.on('disconnect', () => process.exit(0));
answer({ kind: 'listening', ports });

function answer(message: SinkAnswer): void {
  process.send?.(message);
}

async function startGrpc(): Promise<number> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1 });
  for (const service of SERVICES) {
    const isTraces = service.includes('.trace.');
    const method = {
      path: `/${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    } as const;
    const handle: grpc.handleUnaryCall<Buffer, Buffer> = ({ request }, callback) => {
      if (refuses) {
        callback({ code: grpc.status.INVALID_ARGUMENT, details: 'this sink was started with --refuse' });
        return;
      }
      if (isTraces) {
        count.add(request);
      }
      callback(null, ALL_ACCEPTED);
    };
    server.addService({ Export: method }, { Export: handle });
  }
  return new Promise((resolve, reject) => {
    server.bindAsync(`${LOCAL}:0`, grpc.ServerCredentials.createInsecure(), (error, port) => (error ? reject(error) : resolve(port)));
  });
}

async function startHttp(): Promise<number> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (refuses) {
        response.writeHead(400).end();
        return;
      }
      const body = Buffer.concat(chunks);
      if (request.url?.endsWith('/v1/traces')) {
        count.add(body[0] === GZIP_MAGIC ? gunzipSync(body) : body);
      }
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(ALL_ACCEPTED);
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, LOCAL, resolve));
  return (server.address() as AddressInfo).port;
}

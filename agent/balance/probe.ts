import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { USER_AGENT } from '../runtime/version.ts';
import type { HealthSettings } from './settings.ts';

/** One look at one upstream: undefined where it is well, else what is wrong. Never rejects. */
export type Probe = (upstream: { readonly host: string; readonly port: number }, timeoutMs: number) => Promise<string | undefined>;

const HEALTH_CHECK_PATH = '/grpc.health.v1.Health/Check';
/** HealthCheckRequest without a service: how the server is as a whole. */
const EMPTY_FRAME = Buffer.alloc(5);
/** HealthCheckResponse.ServingStatus: 0 UNKNOWN, 1 SERVING, 2 NOT_SERVING, 3 SERVICE_UNKNOWN. */
const SERVING = 1;
const MAX_ANSWER_BYTES = 1024;

export function probeOf(type: HealthSettings['type']): Probe | undefined {
  if (type === 'none') return undefined;
  return type === 'grpc' ? probeGrpc : probeConnect;
}

/** A TCP connection can be made. */
export const probeConnect: Probe = ({ host, port }, timeoutMs) => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connectSocket({ host, port });
  const timer = setTimeout(() => end(`no connection within ${timeoutMs} ms`), timeoutMs).unref();
  function end(problem: string | undefined): void {
    clearTimeout(timer);
    socket.destroy();
    resolve(problem);
  }
  socket.on('connect', () => end(undefined));
  socket.on('error', (error) => end(error.message));
  return promise;
};

/**
 * grpc.health.v1 on a connection of its own, so that connecting is tried too. A server that answers but has no such service, as the
 * Collector, is well: it speaks.
 */
export const probeGrpc: Probe = ({ host, port }, timeoutMs) => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  // Not the upstream's own name: what a resolver found need not be part of a URL, and a URL that is none throws.
  const session = connectHttp2('http://upstream', {
    createConnection: () => connectSocket({ host, port, noDelay: true }),
    settings: { enablePush: false },
  });
  const timer = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs).unref();
  let ended = false;
  function end(problem: string | undefined): void {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    session.destroy();
    resolve(problem);
  }
  session.on('error', (error) => end(error.message));
  session.on('close', () => end('the connection ended before the answer'));
  check(session, host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, end);
  return promise;
};

function check(session: ClientHttp2Session, authority: string, end: (problem: string | undefined) => void): void {
  const stream = session.request({
    ':authority': authority,
    ':method': 'POST',
    ':path': HEALTH_CHECK_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': USER_AGENT,
  });
  let status: string | undefined;
  let httpStatus = 0;
  const body: Buffer[] = [];
  let bytes = 0;
  stream.on('response', (headers) => {
    httpStatus = headers[':status'] ?? 0;
    status = headers['grpc-status'] as string | undefined;
  });
  stream.on('trailers', (trailers) => {
    status = (trailers['grpc-status'] as string | undefined) ?? status;
  });
  stream.on('data', (data: Buffer) => {
    bytes += data.length;
    if (bytes > MAX_ANSWER_BYTES) stream.close(constants.NGHTTP2_CANCEL);
    else body.push(data);
  });
  stream.on('error', () => {}); // 'close' follows, and the session says why
  stream.on('close', () => {
    // The session says more, a moment later.
    if (httpStatus === 0) setImmediate(end, 'the connection ended before the answer');
    else end(judge(httpStatus, status, Buffer.concat(body)));
  });
  stream.end(EMPTY_FRAME);
}

function judge(httpStatus: number, status: string | undefined, body: Buffer): string | undefined {
  if (httpStatus === 404 || status === String(GrpcStatus.UNIMPLEMENTED)) return undefined;
  if (httpStatus !== 200) return `HTTP status ${httpStatus} of the health service`;
  if (status !== '0') return `gRPC status ${status ?? 'missing'} of the health service`;
  // [0][length, 4 bytes] 1 status varint; proto3 leaves a zero out.
  const serving = body.length >= 7 && body[5] === 8 ? body[6] : 0;
  return serving === SERVING ? undefined : `the health service says ${serving === 2 ? 'NOT_SERVING' : `status ${serving}`}`;
}

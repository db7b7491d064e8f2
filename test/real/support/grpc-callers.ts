import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { type RealProgram, realPath } from './components.ts';

/** gRPC clients that people use, behind one function: unary calls on one connection. */

export interface Call {
  readonly path: string;
  readonly body: Uint8Array;
  /** @default false */
  readonly gzip?: boolean;
  /** @default a time that is never reached */
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly code: number;
  readonly details: string;
  readonly response: Buffer;
  /** grpc-status-details-bin: a google.rpc.Status. */
  readonly statusDetails: Buffer | undefined;
}

export interface CallerOptions {
  /** @default all */
  readonly parallel?: number;
  /** Pings after so long without a word. Go and Java make 10 s of less. @default none */
  readonly keepaliveMs?: number;
  /** TLS for `localhost`, with the certificates of this file. @default clear text */
  readonly caFile?: string;
}

/** Answers in the order of the calls. */
export type Caller = (port: number, calls: readonly Call[], options?: CallerOptions) => Promise<readonly Answer[]>;

export interface GrpcCaller {
  readonly name: string;
  readonly programs: readonly RealProgram[];
  readonly call: Caller;
  /** The shortest time between two of its keepalive pings. */
  readonly keepaliveMs: number;
  /** How often it sends a call again by itself that GOAWAY or REFUSED_STREAM says was not begun (gRFC A6: once, or as often as it likes). */
  readonly resends: number;
  /** Can be told which certificates to trust. */
  readonly speaksTls: boolean;
}

/** The calls as JSON into a program, the answers as JSON out of it. */
async function through(program: RealProgram, args: readonly string[], calls: readonly Call[]): Promise<readonly Answer[]> {
  const child = spawn(realPath(program), [...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(calls.map((one) => ({ ...one, body: Buffer.from(one.body).toString('base64') }))));
  let text = '';
  for await (const part of child.stdout.setEncoding('utf8')) text += String(part);
  const answers = JSON.parse(text) as { code: number; details: string; response: string | null; status_details?: string | null }[];
  return answers.map((one) => ({
    code: one.code,
    details: one.details,
    response: Buffer.from(one.response ?? '', 'base64'),
    statusDetails: typeof one.status_details === 'string' ? Buffer.from(one.status_details, 'base64') : undefined,
  }));
}

/** The flags that our clients in Go and Java share (components/modules/grpc-go, components/java-grpc). */
function flags(port: number, { parallel, keepaliveMs, caFile }: CallerOptions, time: (ms: number) => string): string[] {
  return [
    ...(parallel === undefined ? [] : ['-parallel', String(parallel)]),
    ...(keepaliveMs === undefined ? [] : ['-keepalive', time(keepaliveMs)]),
    ...(caFile === undefined ? [] : ['-ca', caFile]),
    String(port),
  ];
}

const CALLS_PY = fileURLToPath(new URL('../statements/calls.py', import.meta.url));

const byGo: Caller = (port, calls, options = {}) =>
  through(
    'grpc-go',
    flags(port, options, (ms) => `${ms}ms`),
    calls,
  );
const byJava: Caller = (port, calls, options = {}) => through('java-grpc', flags(port, options, String), calls);
const byPython: Caller = (port, calls, { parallel = 1 << 20, keepaliveMs = 0 } = {}) =>
  through('python-grpc', [CALLS_PY, String(port), String(parallel), String(keepaliveMs)], calls);

/**
 * node:http2 refuses the calls that it has queued when a GOAWAY comes, which no server has seen. grpc-js sends those again once, and here
 * they are sent again until it has been no race.
 */
const NOT_SEEN = /REFUSED_STREAM|refused by server/u;
const SENDS_OF_UNSEEN = 5;

const raw = (bytes: Buffer): Buffer => bytes;

const byGrpcJs: Caller = async (port, calls, { parallel = calls.length, keepaliveMs, caFile } = {}) => {
  const { readFileSync } = await import('node:fs');
  const credentials = caFile === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(readFileSync(caFile));
  const client = (gzip: boolean): grpc.Client =>
    new grpc.Client(`${caFile === undefined ? '127.0.0.1' : 'localhost'}:${port}`, credentials, {
      'grpc.max_send_message_length': -1,
      ...(keepaliveMs === undefined ? {} : { 'grpc.keepalive_time_ms': keepaliveMs }),
      ...(gzip ? { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip } : {}),
    });
  const [plain, zipped] = [client(false), client(true)];
  const one = async (call: Call): Promise<Answer> => {
    for (let sends = 1; ; sends += 1) {
      const answer = await attempt(call);
      if (sends === SENDS_OF_UNSEEN || !NOT_SEEN.test(answer.details)) return answer;
    }
  };
  const attempt = ({ path, body, gzip, timeoutMs }: Call): Promise<Answer> =>
    new Promise((resolve) => {
      const options = { deadline: Date.now() + (timeoutMs ?? 60_000) };
      (gzip === true ? zipped : plain).makeUnaryRequest(
        path,
        raw,
        raw,
        Buffer.from(body),
        new grpc.Metadata(),
        options,
        (error, response) => {
          const details = error?.metadata.get('grpc-status-details-bin')[0];
          resolve({
            code: error?.code ?? 0,
            details: error?.details ?? '',
            response: response ?? Buffer.alloc(0),
            statusDetails: Buffer.isBuffer(details) ? details : undefined,
          });
        },
      );
    });
  const answers: Answer[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < calls.length; i = next++) answers[i] = await one(calls[i] as Call);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, calls.length) }, lane));
  plain.close();
  zipped.close();
  return answers;
};

export const GRPC_CALLERS: readonly GrpcCaller[] = [
  { name: '@grpc/grpc-js', programs: [], call: byGrpcJs, keepaliveMs: 100, resends: 2 * SENDS_OF_UNSEEN - 1, speaksTls: true },
  { name: 'grpc-go', programs: ['grpc-go'], call: byGo, keepaliveMs: 10_000, resends: 1, speaksTls: true },
  { name: 'grpc-java over Netty', programs: ['java-grpc'], call: byJava, keepaliveMs: 10_000, resends: 0, speaksTls: true },
  { name: 'Python grpcio', programs: ['python-grpc'], call: byPython, keepaliveMs: 1000, resends: 1, speaksTls: false },
];

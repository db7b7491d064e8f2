/** What becomes of the spans of a program when its backend fails for a while. */
import { startOtlpSink } from '../../support/otlp-sink.ts';
import { startChild } from './child.mjs';

const SPANS_PER_SECOND = 200;
const BEFORE_MS = 3000;
const AFTER_MS = 5000;

/** google.rpc.Status { code 8, details: Any { RetryInfo { retry_delay { seconds 1 } } } }, as the trailer carries it. */
const RETRY_INFO = Buffer.concat([
  Buffer.from([0x08, 8, 0x1a, 0x32, 0x0a, 0x28]),
  Buffer.from('type.googleapis.com/google.rpc.RetryInfo'),
  Buffer.from([0x12, 0x06, 0x0a, 0x04, 0x08, 1, 0x10, 0]),
]).toString('base64');

/** How the backend fails, by name; `answers` is what it says then. */
export const FAULTS = {
  grpc: {
    restarts: 'away',
    'answers UNAVAILABLE': { grpcCode: 14 },
    'answers RESOURCE_EXHAUSTED with RetryInfo': { grpcCode: 8, headers: { 'grpc-status-details-bin': RETRY_INFO } },
    hangs: 'hang',
  },
  http: {
    restarts: 'away',
    'answers 503': { status: 503 },
    'answers 429 with Retry-After': { status: 429, headers: { 'retry-after': '1' } },
    hangs: 'hang',
  },
};

/** One program, one outage. Its spans are told apart by a number. */
export async function lossOf(kind, fault, outageMs) {
  const protocol = kind.endsWith('grpc') ? 'grpc' : 'http';
  const failing = FAULTS[protocol][fault];
  let sink = await startOtlpSink();
  const numbers = [];
  const collect = () => numbers.push(...sink.spans().map(({ attributes }) => Number(attributes['bench.number'])));
  const endpoint = protocol === 'grpc' ? `http://${sink.grpcAddress}` : sink.httpUrl;
  const subject = await startChild('subject.mjs', [JSON.stringify({ kind, endpoint, compression: 'none' })]);
  const spans = (SPANS_PER_SECOND * (BEFORE_MS + outageMs + AFTER_MS)) / 1000;
  const running = subject.ask({ spans, paced: SPANS_PER_SECOND });
  await sleep(BEFORE_MS);
  if (failing === 'away') {
    const { httpPort, grpcPort } = sink;
    await sink.close();
    collect();
    await sleep(outageMs);
    sink = await startOtlpSink({ httpPort, grpcPort });
  } else {
    // A request that came while it hung is never answered, as of a process that was stopped.
    sink.respond(() => (failing === 'hang' ? new Promise(() => {}) : failing));
    await sleep(outageMs);
    sink.respond(undefined);
  }
  await running;
  subject.end();
  collect();
  await sink.close();
  const delivered = new Set(numbers).size;
  return { kind, fault, outageSeconds: outageMs / 1000, spans, delivered, lost: spans - delivered, twice: numbers.length - delivered };
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

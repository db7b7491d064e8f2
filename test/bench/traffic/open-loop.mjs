/**
 * The open-loop driver: requests at a fixed rate, whatever becomes of them, each marked with its intended send time (the first twelve bytes
 * of the trace id of its first span). A process of its own that spins while it runs: a timer comes a millisecond late, and with it all
 * requests of that millisecond at once.
 *
 *   messages  { port, connections, spans, spanBytes } connects
 *             { perSecond, seconds }                  sends so many requests for so long, and waits for the answers
 */
import { serviceRequest } from '../agent/load.mjs';
import { quantile } from '../lib/statistics.mjs';
import { nowMs } from './clock.mjs';
import { GrpcClient } from './grpc-client.mjs';
import { markOffset, message } from './messages.mjs';
import { Schedule } from './schedule.mjs';

const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** Different requests in turn. */
const BODIES = 4;
/** After the last request. */
const ANSWERS_WITHIN_MS = 10_000;
/** Requests at once before answers are read again. */
const BURST = 256;
/** Before that, sleeping is precise enough. */
const SLEEP_FROM_MS = 3;

let clients = [];
let templates = [];
let run;

async function open({ port, connections, spans, spanBytes }) {
  for (const client of clients) client.close();
  templates = Array.from({ length: BODIES }, (_, seed) => {
    const body = serviceRequest(spans, spanBytes, seed + 1);
    return { message: message(body), mark: markOffset(body) };
  });
  clients = Array.from({ length: connections }, () => new GrpcClient(port, PATH, (intendedMs, ok, atMs) => answered(intendedMs, ok, atMs)));
  await Promise.all(clients.map(({ ready }) => ready));
  return { messageBytes: templates[0].message.length };
}

function answered(intendedMs, ok, atMs) {
  if (run === undefined) return;
  if (ok) run.latencies[run.succeeded++] = atMs - intendedMs;
  else run.failed += 1;
}

/**
 * @param giveUpAfterS seconds of requests that may be unanswered before the run is given up: the rate is too high @default 3
 */
function drive({ perSecond, seconds, giveUpAfterS = 3 }) {
  const total = Math.round(perSecond * seconds);
  const schedule = new Schedule(nowMs() + 5, perSecond, total);
  const lateness = new Float64Array(total);
  let steps = 0;
  let idle = 0;
  run = { latencies: new Float64Array(total), succeeded: 0, failed: 0 };
  return new Promise((resolve) => {
    const end = (sent, gaveUp) => {
      const { latencies, succeeded, failed } = run;
      run = undefined;
      const late = lateness.subarray(0, sent).sort();
      const took = latencies.subarray(0, succeeded).sort();
      const problems = [...new Set(clients.map(({ problem }) => problem).filter((problem) => problem !== undefined))];
      resolve({
        sent,
        succeeded,
        failed,
        gaveUp,
        problems,
        idleShare: idle / steps,
        lateMs: { p50: quantile(late, 0.5), p99: quantile(late, 0.99), max: late.at(-1) },
        answerMs: { p50: quantile(took, 0.5), p95: quantile(took, 0.95), p99: quantile(took, 0.99), max: took.at(-1) },
      });
    };
    const step = () => {
      const now = nowMs();
      steps += 1;
      let taken = 0;
      for (; taken < BURST; taken += 1) {
        const index = schedule.take(now);
        if (index < 0) break;
        clients[index % clients.length].request(templates[index % BODIES], schedule.at(index));
        lateness[index] = now - schedule.at(index);
      }
      if (taken > 0) for (const client of clients) client.flush();
      else idle += 1;
      const open = schedule.next - run.succeeded - run.failed;
      if (schedule.done && (open === 0 || now > schedule.at(total) + ANSWERS_WITHIN_MS)) return end(total, open > 0);
      if (open > perSecond * giveUpAfterS) return end(schedule.next, true);
      if (schedule.waitMs(nowMs()) > SLEEP_FROM_MS) setTimeout(step, 1);
      else setImmediate(step);
    };
    step();
  });
}

process.send({});
process.on('message', (job) => {
  const done = job.port === undefined ? drive(job) : open(job);
  done.catch((error) => ({ problem: error.message })).then((result) => process.send(result));
});
process.on('disconnect', () => process.exit(0));

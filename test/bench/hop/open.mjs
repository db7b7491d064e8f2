/** One open-loop run: requests at a fixed rate through a fresh process, from the intended send time to the delivery of the whole request. */
import { cpuBetween, cpuOf, memoryOf, stolenSeconds, waitedOf } from '../lib/usage.mjs';
import { nowMs } from '../traffic/clock.mjs';
import { judge, MAX_LATE_MS } from './judge.mjs';
import { startSubject } from './subject.mjs';

const CONNECTIONS = 8;
const WARM_UP_SECONDS = 2;
const DELIVERED_WITHIN_MS = 5_000;

/**
 * @param bench `{ sink, driver, ports, pins }`
 * @param program `{ kind, bundle?, set?, cpus?, cores? }` as in compare.mjs
 * @param work of works.mjs, with `delaysMs` of the upstreams' answers
 * @param itemsPerSecond offered
 * @param giveUpAfterS see the driver
 * @returns a run; `verdict` says whether it counts, `sustained` whether all was delivered while the driver kept its rate
 */
export async function openLoop({ sink, driver, ports, pins }, program, work, { itemsPerSecond, seconds, giveUpAfterS }) {
  const { kind, cores = 1 } = program;
  const subject = await startSubject(kind, work, ports, { ...program, cpus: program.cpus ?? pins.subject });
  try {
    const reset = { reset: { signal: work.signal, delaysMs: work.delaysMs } };
    await driver.ask({
      port: ports.grpc,
      connections: work.connections ?? CONNECTIONS,
      spans: work.items,
      spanBytes: work.itemBytes,
    });
    const perSecond = itemsPerSecond / work.items;
    await sink.ask(reset);
    const warmUp = await driver.ask({ perSecond, seconds: WARM_UP_SECONDS, giveUpAfterS });
    const warm = warmUp.problem === undefined && (await arrived(sink, warmUp.sent * work.items));
    await sink.ask(reset);
    const waits = () => ({ driver: waitedOf(driver.pid), sink: waitedOf(sink.pid) });
    const before = { cpu: cpuOf(subject.pid), sink: cpuOf(sink.pid), waited: waits(), stolen: stolenSeconds(), at: nowMs() };
    // A program that the warm-up was too much for is not asked again, nor is a driver that could not keep time.
    const load =
      warm && !warmUp.gaveUp && warmUp.lateMs.p99 <= MAX_LATE_MS ? await driver.ask({ perSecond, seconds, giveUpAfterS }) : warmUp;
    const loadedAt = nowMs();
    const complete = warm && (await arrived(sink, load.sent * work.items));
    const after = { cpu: cpuOf(subject.pid), sink: cpuOf(sink.pid), waited: waits(), stolen: stolenSeconds() };
    const { peakMiB } = memoryOf(subject.pid);
    const shares = kind === 'ours' && cores > 1 ? await workerShares(ports.metrics) : undefined;
    const counted = await sink.ask('finish');
    const wall = (Math.max(loadedAt, complete ? counted.lastAt : 0) - before.at) / 1000;
    const cpu = cpuBetween(before.cpu, after.cpu);
    const busy = { subject: cpu.seconds / wall / cores, drivers: [], sink: cpuBetween(before.sink, after.sink).seconds / wall };
    const sustained = complete && !load.gaveUp && load.failed === 0;
    const waited = {
      driver: (after.waited.driver - before.waited.driver) / wall,
      sink: (after.waited.sink - before.waited.sink) / wall,
    };
    // Of an overloaded program neither driver nor sink know when it will be done: they are judged by their own time only.
    const verdict = judge({
      busy: sustained ? busy : undefined,
      lateMs: load.lateMs,
      waited,
      delivered: counted.items,
      problems: sustained ? [...load.problems, ...counted.problems] : [],
    });
    return {
      offeredPerSecond: itemsPerSecond,
      sent: load.sent * work.items,
      delivered: counted.items,
      refusedRequests: load.failed,
      sustained,
      deliveryMs: counted.latency,
      answerMs: load.answerMs,
      lateMs: load.lateMs,
      cpuSeconds: cpu.seconds,
      cpuPerMillion: cpu.seconds / ((load.sent * work.items) / 1e6),
      busy,
      shares,
      waited,
      rssPeakMiB: peakMiB,
      upstreams: counted.upstreams,
      stolenSeconds: after.stolen - before.stolen,
      settings: subject.settings,
      verdict,
    };
  } finally {
    await subject.end();
  }
}

/** How the items were spread over the workers, as they say themselves: `[0.53, 0.47]`, the largest first. */
async function workerShares(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const items = [...text.matchAll(/^otlp_agent_worker_items(?:_total)?\{[^}]*\} (\S+)/gm)].map(([, value]) => Number(value));
  const all = items.reduce((sum, one) => sum + one, 0);
  return all === 0 ? undefined : items.map((one) => one / all).toSorted((a, b) => b - a);
}

/** Whether `items` have arrived, or nothing more comes for a while. */
async function arrived(sink, items) {
  const startedAt = nowMs();
  for (;;) {
    const now = await sink.ask('progress');
    if (now.items >= items) return now.items === items;
    if (nowMs() - startedAt > DELIVERED_WITHIN_MS) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One measurement of one program: warm up, send, wait until all is delivered, read what it took. */
import { join } from 'node:path';
import { startChild } from '../lib/child.mjs';
import { countOf } from '../lib/pin.mjs';
import { cpuBetween, cpuOf, memoryOf, stolenSeconds } from '../lib/usage.mjs';
import { nowMs } from '../traffic/clock.mjs';
import { closedLoop } from '../traffic/closed-loop.mjs';
import { judge } from './judge.mjs';

const SINK = join(import.meta.dirname, '..', 'traffic', 'sink.mjs');
const LOOK_EVERY_MS = 10;
/** Longer than a batch waits (100 ms): after so much silence nothing more comes. */
const SILENCE_MS = 600;
const DELIVERED_WITHIN_MS = 60_000;

export function startSink(upstreams, cpus) {
  return startChild(SINK, { argv: [String(upstreams)], cpus });
}

/**
 * A closed loop with h2load through a program that runs already.
 *
 * @param load `{ files, protocol, signal, encoding, port, connections, inFlight, cpus }`
 * @param work of works.mjs
 * @param requests for each file
 * @param keptShare of the items that are to arrive, from `calibrate`; undefined leaves the number open
 * @param cores that the program may use
 */
export async function measure({ subject, sink, load, work, requests, keptShare, cores = 1 }) {
  await sink.ask({ reset: { signal: work.signal, encoding: work.compression === undefined ? 'identity' : work.compression } });
  const before = { cpu: cpuOf(subject.pid), sink: cpuOf(sink.pid), stolen: stolenSeconds(), at: nowMs() };
  const sent = await closedLoop({ ...load, requests });
  const items = sent.sent * work.items;
  const loadedAt = nowMs();
  // Compressed items cannot be counted before they are inflated: silence ends those.
  const expected = keptShare === undefined ? undefined : Math.round(items * keptShare);
  const lastAt = await delivered(sink, work.compression === undefined ? expected : undefined);
  const after = { cpu: cpuOf(subject.pid), sink: cpuOf(sink.pid), stolen: stolenSeconds() };
  const memory = memoryOf(subject.pid);
  const counted = await sink.ask('finish');
  const wall = (Math.max(lastAt, loadedAt) - before.at) / 1000;
  const cpu = cpuBetween(before.cpu, after.cpu);
  const shares = sent.processes.map((one) => one.cpu / one.seconds);
  const busy = {
    subject: cpu.seconds / wall / cores,
    // Each is one thread; all of them together have the CPUs of the driver.
    drivers: [...shares, shares.reduce((all, one) => all + one, 0) / countOf(load.cpus)],
    sink: cpuBetween(before.sink, after.sink).seconds / wall,
  };
  const problems = [...counted.problems, ...contentProblems(counted.sample, work)];
  return {
    window: { fromMs: before.at, toMs: Math.max(lastAt, loadedAt) },
    cpuSeconds: cpu.seconds,
    userSeconds: cpu.user,
    systemSeconds: cpu.system,
    cpuPerMillion: cpu.seconds / (items / 1e6),
    sent: items,
    delivered: counted.items,
    requestsIn: sent.sent,
    requestsOut: counted.requests,
    bytesOut: counted.bytes,
    wallSeconds: wall,
    itemsPerSecond: items / wall,
    rssPeakMiB: memory.peakMiB,
    busy,
    stolenSeconds: after.stolen - before.stolen,
    verdict: judge({ busy, expected, delivered: counted.items, problems }),
  };
}

/** Sends few requests of each file and tells which share of their items arrives, for works that drop some. Warms up, too. */
export async function calibrate({ subject: _, sink, load, work, requests }) {
  await sink.ask({ reset: { signal: work.signal, encoding: work.compression === undefined ? 'identity' : work.compression } });
  const { sent } = await closedLoop({ ...load, requests });
  await delivered(sink, work.compression === undefined && !work.drops ? sent * work.items : undefined);
  const { items, problems } = await sink.ask('finish');
  if (problems.length > 0) throw new Error(problems.join('; '));
  const share = items / (sent * work.items);
  if (!work.drops && share !== 1) throw new Error(`${items} items of ${sent * work.items} were delivered while warming up`);
  return share;
}

/** When the last request came, once all `expected` items or, where they are not known, everything is there. */
async function delivered(sink, expected) {
  const startedAt = nowMs();
  let last = { requests: -1 };
  let changedAt = startedAt;
  for (;;) {
    const now = await sink.ask('progress');
    if (expected !== undefined && now.items >= expected) return now.lastAt;
    const at = nowMs();
    if (now.requests !== last.requests) changedAt = at;
    last = now;
    const silence = expected === undefined ? SILENCE_MS : 4 * SILENCE_MS;
    if (at - changedAt > silence || at - startedAt > DELIVERED_WITHIN_MS) return now.lastAt;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** What a decoded sample lacks. */
export function contentProblems(sample, work) {
  const problems = [];
  if (sample.incomplete > 0) problems.push(`${sample.incomplete} of ${sample.items} decoded items are incomplete: ${sample.example}`);
  if (sample.items === 0) return problems;
  if (!sample.resourceKeys.includes('service.name')) problems.push('the resources of the decoded sample have no service.name');
  if (work.resourceKey !== undefined && !sample.resourceKeys.includes(work.resourceKey))
    problems.push(`no resource has ${work.resourceKey}`);
  if (work.itemKey !== undefined && !sample.itemKeys.includes(work.itemKey)) problems.push(`no item has ${work.itemKey}`);
  return problems;
}

/**
 * What a second worker brings and costs: CPU per span and rate of one worker on one core and of two on two, with many client connections.
 * Goals: at most 1.1 times the CPU per span, at least 1.8 times the rate. The rate needs 4 CPUs (two for the workers, one for the sink,
 * one for the driver), four workers need 6; on fewer only the CPU is measured.
 *
 * Closed loops send as fast as they are answered. Where one driver cannot fill two workers that compares different loads, so there is an open
 * loop, too, which offers each worker the same (hop/equal-loads.mjs).
 *
 *   npm run bench -- agent-workers [--rounds 5] [--seconds 6] [--only zipped] [--scale 1] [--out FILE]
 */
import { parseArgs } from 'node:util';
import { compare, mediansOf } from './hop/compare.mjs';
import { equalLoads } from './hop/equal-loads.mjs';
import { FULL_SHARE } from './hop/judge.mjs';
import { WORKS } from './hop/works.mjs';
import { CPUS, facts } from './lib/machine.mjs';
import { pinning } from './lib/pin.mjs';
import { writeResult } from './lib/result-file.mjs';
import { median, ratioOf } from './lib/statistics.mjs';
import { DRIVER } from './traffic/closed-loop.mjs';

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '6' },
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});
const GOAL = { cpu: 1.1, rate: 1.8 };
const MANY = { connections: 64, inFlight: 8, floor: false };
/** The first is heavy enough that two workers take less than what one CPU can send and another can swallow: it is where the rate is read. */
const CASES = {
  zipped: {
    what: 'gzip in and out, resource upsert, 512 x 373 B, 64 connections',
    work: { ...WORKS['gzip-resource'], ...MANY, millions: 1 },
    rate: true,
  },
  small: { what: 'none, 25 x 376 B, 64 connections', work: { ...WORKS['none-25'], ...MANY }, rate: false },
};
/**
 * Of each worker in the open loop: half of what one can do, so that the driver, one thread, and the sink have room for what two get, and as
 * many connections as each of two workers has in the closed loops.
 */
const PER_WORKER = { itemsPerSecond: 400_000, connections: 32 };
const EQUAL = {
  what: `none, 25 x 376 B, open loop: ${PER_WORKER.itemsPerSecond / 1000} k spans/s and ${PER_WORKER.connections} connections for each worker`,
  work: WORKS['none-25'],
};
const COUNTS = CPUS >= 6 ? [1, 2, 4] : [1, 2];
const RATE = CPUS >= 4;

const FACTS = facts();
// Driver and sink stay where they are for every number of workers.
const pins = pinning(Math.min(COUNTS.at(-1), Math.max(1, CPUS - 2)));
const last = CPUS - 1;
const programs = COUNTS.map((workers) => {
  const cores = RATE ? workers : 1;
  return {
    name: `${workers} workers`,
    workers,
    kind: 'ours',
    set: workers === 1 ? [] : [`agent.workers=${workers}`],
    cores,
    ...(pins.subject === undefined ? {} : { cpus: cores === 1 ? `${last}` : `${last - cores + 1}-${last}` }),
  };
});
const isWanted = (name) => args.only?.split(',').includes(name) ?? true;
const rounds = Number(args.rounds);
const wanted = Object.entries(CASES).filter(([name]) => isWanted(name));
const works = Object.fromEntries(wanted.map(([name, { work }]) => [name, work]));
const results = await compare({ works, programsOf: () => programs, rounds, scale: Number(args.scale), pins });
const cases = wanted.map(([name, { what, rate }]) => ({
  ...judged(name, what, results[name], rate ? undefined : 'two workers take more than one CPU can send'),
  counts: Object.fromEntries(
    Object.entries(results[name]).map(([key, result]) => [
      key,
      { ...(result.runs.length > 0 ? { median: mediansOf(result.runs) } : {}), ...result },
    ]),
  ),
}));
if (isWanted('equal')) {
  const offered = { perWorker: PER_WORKER, seconds: Number(args.seconds) };
  const counts = await equalLoads({ work: EQUAL.work, programs, ...offered, rounds, pins });
  cases.push({ ...judged('equal', EQUAL.what, counts, 'it is what is offered'), ...offered, counts });
}
for (const { name, more } of cases) {
  for (const { workers, cpu, speed, busy, rateNotMeasured } of more) {
    const rate =
      speed === undefined ? `rate not measured: ${rateNotMeasured}` : `${speed.ratio.toFixed(2)} times the rate (at least ${GOAL.rate})`;
    if (cpu === undefined) {
      console.log(`${name}: no run of ${workers} workers and of one in the same round counted`);
      continue;
    }
    console.log(
      `${name}: ${workers} workers take ${cpu.ratio.toFixed(2)} times the CPU per span of one (at most ${GOAL.cpu}), ${rate}, busy ${percent(busy)}`,
    );
    if (speed !== undefined && busy < FULL_SHARE)
      console.log(`  their CPUs were not full: the rate is that of driver, sink or latency as well`);
  }
}
if (args.only === undefined || args.out !== undefined) {
  writeResult(
    'agent-workers',
    {
      what: 'one hop as in agent-hop with many client connections, and as in agent-open-loop at the same rate for each worker; N workers have N cores',
      ...FACTS,
      pinned: { ...pins, workers: programs.map(({ name, cpus }) => `${name}: ${cpus ?? 'any'}`) },
      versions: { ...DRIVER },
      rounds,
      cases,
    },
    args.out,
  );
}
if (cases.some(({ more }) => more.some(({ cpuReached, rateReached }) => cpuReached === false || rateReached === false)))
  process.exitCode = 1;

/** A case beside its goals; `noRate` says why its rate means nothing. */
function judged(name, what, byProgram, noRate) {
  const one = byProgram['1 workers'];
  const more = COUNTS.slice(1).map((workers) => {
    const many = byProgram[`${workers} workers`];
    const of = (result, key) => result.runs.map((run) => run[key]);
    const cpu = ratioOf(of(many, 'cpuPerMillion'), of(one, 'cpuPerMillion'));
    const measured = RATE && noRate === undefined && many.runs.length > 0;
    const speed = measured ? ratioOf(of(many, 'itemsPerSecond'), of(one, 'itemsPerSecond')) : undefined;
    return {
      workers,
      cpu,
      speed,
      rateNotMeasured: measured ? undefined : rateWords(noRate, many),
      busy: median(many.runs.map((run) => run.busy.subject)),
      cpuReached: cpu === undefined ? undefined : cpu.ratio <= GOAL.cpu,
      rateReached: speed === undefined ? undefined : speed.ratio >= (GOAL.rate * workers) / 2,
    };
  });
  return { name, what, goal: GOAL, more };
}

function rateWords(noRate, many) {
  if (!RATE) return `the machine has ${CPUS} CPUs, 4 are needed`;
  return noRate ?? many.failed ?? many.voids.at(-1) ?? 'no run counted';
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}

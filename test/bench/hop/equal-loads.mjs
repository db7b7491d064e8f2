/**
 * Workers beside one at the same load for each of them. A closed loop compares a worker that is full with several that share what one driver
 * can send, and a worker with less to do takes more CPU for each request, however many there are: its reads, writes and turns carry fewer.
 * Here each worker is offered the same rate over the same number of connections: what is left is what a second worker costs.
 */
import { join } from 'node:path';
import { startChild } from '../lib/child.mjs';
import { untilItCounts } from './judge.mjs';
import { startSink } from './measure.mjs';
import { openLoop } from './open.mjs';
import { freePorts } from './subject.mjs';

const PORTS = ['grpc', 'http', 'health', 'metrics'];
const MAX_VOID = 6;

/**
 * @param work of works.mjs
 * @param programs as in compare.mjs, with `workers`
 * @param perWorker `{ itemsPerSecond, connections }`
 * @returns by program: `{ runs, voids }`, as compare.mjs gives them
 */
export async function equalLoads({ work, programs, perWorker, seconds, rounds, pins, log = console.log }) {
  const sink = await startSink(1, pins.sink);
  const driver = await startChild(join(import.meta.dirname, '..', 'traffic', 'open-loop.mjs'), { cpus: pins.driver });
  const results = Object.fromEntries(programs.map(({ name }) => [name, { runs: [], voids: [] }]));
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const program of round % 2 === 0 ? programs : programs.toReversed()) {
        const bench = { sink, driver, pins, ports: { ...(await freePorts(PORTS)), sinks: sink.hello.ports } };
        const offered = { itemsPerSecond: perWorker.itemsPerSecond * program.workers, seconds };
        const load = { ...work, connections: perWorker.connections * program.workers };
        const { run, voids } = await untilItCounts(() => attempt(bench, program, load, offered), MAX_VOID);
        const result = results[program.name];
        result.voids.push(...voids);
        if (run !== undefined) result.runs.push(run);
        log(`${round + 1}/${rounds} ${program.name.padEnd(10)} ${run === undefined ? `void: ${voids.at(-1)}` : describe(run)}`);
      }
    }
  } finally {
    await driver.end();
    await sink.end();
  }
  return results;
}

/** A program that could not keep up is not what is compared, nor is one that did not start. */
async function attempt(bench, program, work, offered) {
  try {
    const run = await openLoop(bench, program, work, offered);
    if (run.verdict !== undefined || run.sustained) return run;
    return { ...run, verdict: { void: `${run.delivered} of ${run.sent} were delivered: the load was too much for the program` } };
  } catch (error) {
    return { verdict: { wrong: error.message } };
  }
}

function describe({ cpuPerMillion, offeredPerSecond, busy, shares, lateMs, deliveryMs }) {
  return [
    `${cpuPerMillion.toFixed(3)} CPU s per million items at ${offeredPerSecond / 1000} k items/s`,
    `busy ${Math.round(busy.subject * 100)} %`,
    ...(shares === undefined ? [] : [`spread ${shares.map((share) => Math.round(share * 100)).join('/')}`]),
    `p95 ${deliveryMs?.p95Ms.toFixed(1)} ms`,
    `driver late ${lateMs.p99.toFixed(1)} ms at p99`,
  ].join(', ');
}

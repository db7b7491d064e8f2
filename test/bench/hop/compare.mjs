/** Works through programs in turn, so that what else the machine does hits all of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { pinning } from '../lib/pin.mjs';
import { median } from '../lib/statistics.mjs';
import { untilItCounts } from './judge.mjs';
import { calibrate, measure, startSink } from './measure.mjs';
import { prepare } from './prepare.mjs';
import { freePorts, lastLine, startSubject } from './subject.mjs';

/** Of the closed loop, where a work says nothing else: requests in flight on each connection. */
export const LOAD = { connections: 4, inFlight: 8 };
/** Of the items of a run, sent through the same process before it. */
const WARM_UP_SHARE = 0.35;
/** A program that does not start or ends in the middle is given up after so many times. */
const MAX_ERRORS = 3;
export const PORTS = ['grpc', 'http', 'health', 'metrics'];

/**
 * @param works by name
 * @param programsOf for a work, `[{ name, kind, bundle?, set?, cores?, cpus? }]`
 * @param scale of the items of a run @default 1
 * @param log gets a line for each run
 * @returns by work, by program: `{ runs, voids, failed?, settings }`
 */
export async function compare({ works, programsOf, rounds, scale = 1, pins = pinning(), upstreams = 4, log = console.log }) {
  const folder = mkdtempSync(join(os.tmpdir(), 'otlp-bench-'));
  const sink = await startSink(upstreams, pins.sink);
  const results = {};
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, work] of Object.entries(works)) {
        results[name] ??= {};
        const ports = { ...(await freePorts(PORTS)), sinks: sink.hello.ports };
        const bench = { folder, sink, ports, pins, scale };
        // The order changes with the round: whoever is first finds the machine as the one before left it.
        const programs = round % 2 === 0 ? programsOf(work) : programsOf(work).toReversed();
        for (const program of programs) {
          results[name][program.name] ??= { runs: [], voids: [], errors: [], settings: [] };
          const result = results[name][program.name];
          if (result.failed !== undefined) continue;
          log(`${round + 1}/${rounds} ${name.padEnd(14)} ${program.name.padEnd(10)} ${await oneMore(bench, work, program, result)}`);
        }
      }
    }
  } finally {
    await sink.end();
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

/** Makes one run that counts and keeps it; the words for the log. */
async function oneMore(bench, work, program, result) {
  try {
    const { run, voids } = await untilItCounts(() => oneRun(bench, work, program, result));
    result.voids.push(...voids);
    if (run === undefined) return `void: ${voids.at(-1)}`;
    result.runs.push(run);
    return describe(run) + (voids.length === 0 ? '' : `, ${voids.length} void: ${voids.at(-1)}`);
  } catch (error) {
    result.errors.push(error.message);
    if (result.errors.length >= MAX_ERRORS) result.failed = error.message;
    return `failed: ${error.message}`;
  }
}

export async function oneRun({ folder, sink, ports, pins, scale }, work, program, result) {
  const { files, wireBytes } = prepare(work, folder);
  const load = {
    files,
    protocol: work.protocol,
    signal: work.signal,
    encoding: work.encoding,
    port: ports[work.protocol],
    connections: work.connections ?? LOAD.connections,
    inFlight: work.inFlight ?? LOAD.inFlight,
    cpus: pins.driver,
  };
  const each = (share) => Math.max(1, Math.ceil((work.millions * 1e6 * scale * share) / work.items / files.length));
  const cores = program.cores ?? 1;
  const subject = await startSubject(program.kind, work, ports, { ...program, cpus: program.cpus ?? pins.subject });
  try {
    const keptShare =
      program.kind === 'pipe' ? 1 : await calibrate({ subject, sink, load, work, requests: each(work.warmUpShare ?? WARM_UP_SHARE) });
    if (program.kind === 'pipe')
      await calibrate({ subject, sink, load, work: { ...work, drops: false }, requests: each(work.warmUpShare ?? WARM_UP_SHARE) });
    const run = await measure({ subject, sink, load, work, requests: each(1), keptShare, cores });
    result.settings = subject.settings;
    return {
      ...run,
      keptShare,
      bytesPerItemIn: wireBytes / files.length / work.items,
      cpuPerGB: (run.cpuSeconds / ((run.requestsIn * wireBytes) / files.length)) * 1e9,
    };
  } catch (error) {
    if (subject.code === undefined) throw error;
    throw new Error(`${program.name} ended with ${subject.code}: ${lastLine(subject.log())}`, { cause: error });
  } finally {
    await subject.end();
  }
}

function describe(run) {
  return [
    `${run.cpuPerMillion.toFixed(3)} CPU s per million items`,
    `${Math.round(run.itemsPerSecond / 1000)} k items/s`,
    `${Math.round(run.rssPeakMiB)} MiB at most`,
    `busy ${Math.round(run.busy.subject * 100)} %`,
    `drivers ${run.busy.drivers.map((share) => Math.round(share * 100)).join(' ')} %`,
    `sink ${Math.round(run.busy.sink * 100)} %`,
  ].join(', ');
}

/** The median of each number of the runs. */
export function mediansOf(runs) {
  const keys = ['cpuPerMillion', 'cpuPerGB', 'itemsPerSecond', 'rssPeakMiB', 'userSeconds', 'systemSeconds', 'requestsOut'];
  return Object.fromEntries(keys.map((key) => [key, median(runs.map((run) => run[key]))]));
}

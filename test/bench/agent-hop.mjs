/**
 * The agent beside the real Collector: CPU seconds per million items of one hop on one core, the same YAML file for both, with the same
 * driver (h2load) and the same sink, a plain TCP pipe in Node as the floor. Runs take turns; a run that measured the bench is void and made
 * again (hop/judge.mjs).
 *
 *   npm run bench -- agent-hop [--rounds 5] [--only none,gzip] [--scale 1] [--out FILE]
 *   node test/bench/agent-hop.mjs --only none-25 --before /elsewhere/agent/build/otlp-agent.mjs
 *
 * --only    works whose name begins so; the result is written only with --out
 * --before  another bundle of ours, measured in turn with the built one
 * --without collector,pipe   leaves programs out, for looking
 */
import { parseArgs } from 'node:util';
import { compare, LOAD, mediansOf } from './hop/compare.mjs';
import { membersThroughCollector } from './hop/members.mjs';
import { HOW_TO_BUILD, OTELCOL, OTELCOL_VERSION } from './hop/subject.mjs';
import { WORKS } from './hop/works.mjs';
import { facts } from './lib/machine.mjs';
import { pinning } from './lib/pin.mjs';
import { writeResult } from './lib/result-file.mjs';
import { ratioOf } from './lib/statistics.mjs';
import { DRIVER } from './traffic/closed-loop.mjs';

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
    before: { type: 'string' },
    without: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});
const ROUNDS = Number(args.rounds);
const wanted = args.only?.split(',');
const works = Object.fromEntries(Object.entries(WORKS).filter(([name]) => wanted?.some((word) => name.startsWith(word)) ?? true));
const without = args.without.split(',');
const FACTS = facts();
const pins = pinning();

if (OTELCOL === undefined) console.log(`${HOW_TO_BUILD}; measured without it`);
if (pins.note !== undefined) console.log(pins.note);

const results = await compare({ works, programsOf, rounds: ROUNDS, scale: Number(args.scale), pins });
const throughCollector = {};
for (const [name, work] of Object.entries(works)) {
  if (!work.collectorNext || OTELCOL === undefined || results[name].ours?.runs.length === 0) continue;
  throughCollector[name] = await membersThroughCollector(work, pins);
  console.log(`${name} with a Collector as the next hop: ${JSON.stringify(throughCollector[name])}`);
}
report();

function programsOf(work) {
  return [
    { name: 'ours', kind: 'ours' },
    ...(args.before === undefined ? [] : [{ name: 'before', kind: 'ours', bundle: args.before }]),
    ...(OTELCOL === undefined ? [] : [{ name: 'collector', kind: 'collector' }]),
    ...(work.floor ? [{ name: 'pipe', kind: 'pipe' }] : []),
  ].filter(({ name }) => !without.includes(name));
}

function report() {
  const table = Object.entries(works).map(([name, { what, goal, millions, ...work }]) => {
    const programs = Object.fromEntries(
      Object.entries(results[name]).map(([program, result]) => [
        program,
        { ...(result.runs.length === 0 ? {} : { median: mediansOf(result.runs) }), ...result },
      ]),
    );
    const cpu = (program) => (programs[program]?.runs ?? []).map((run) => run.cpuPerMillion);
    return {
      name,
      what,
      goal,
      itemsPerRun: millions * 1e6 * Number(args.scale),
      work: { ...LOAD, ...work },
      ratio: ratioOf(cpu('collector'), cpu('ours')),
      ratioToBefore: args.before === undefined ? undefined : ratioOf(cpu('before'), cpu('ours')),
      throughCollector: throughCollector[name],
      programs,
    };
  });
  for (const { what, goal, ratio, ratioToBefore, programs } of table) {
    const parts = Object.entries(programs).map(([name, one]) => `${name} ${one.median?.cpuPerMillion.toFixed(3) ?? one.failed ?? 'void'}`);
    const spread = (one) => `${one.ratio.toFixed(2)} (${one.interval95.map((end) => end.toFixed(2)).join(' to ')})`;
    const beside = ratio === undefined ? '' : `; ratio ${spread(ratio)}, goal ${goal}: ${ratio.ratio >= goal ? 'reached' : 'missed'}`;
    console.log(
      `${what.slice(0, 70)}: ${parts.join(', ')}${beside}${ratioToBefore === undefined ? '' : `; before / now ${spread(ratioToBefore)}`}`,
    );
  }
  if (wanted !== undefined && args.out === undefined) return;
  const file = {
    what: 'CPU seconds per million items of one hop, by the kernel, of all threads of the process: OTLP in, memory_limiter, memory queue, batches of 8192 items or 100 ms, otlp_grpc out, acknowledged when queued, no TLS, metrics and health check on; closed loop, the program under test on one core',
    ...FACTS,
    pinned: pins,
    versions: { otelcol: OTELCOL_VERSION, ...DRIVER },
    rounds: ROUNDS,
    table,
  };
  writeResult('agent-hop', file, args.out);
  if (table.some(({ ratio, goal }) => ratio !== undefined && ratio.ratio < goal)) process.exitCode = 1;
  for (const { name, programs } of table) agree(name, programs);
}

/** What one program keeps of the same requests the other has to keep, too. */
function agree(name, { ours, collector }) {
  const [mine, theirs] = [ours, collector].map((program) => program?.runs[0]?.keptShare);
  if (mine === undefined || theirs === undefined || mine === theirs) return;
  console.log(`${name}: ours kept ${mine} of the items, the Collector ${theirs}: they did not do the same work`);
  process.exitCode = 1;
}

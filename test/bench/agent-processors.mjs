/**
 * Processors beside the real Collector, with the same YAML for both: CPU seconds per million items of a whole hop with one processor, as
 * agent-hop.mjs measures it, and what that is more than the hop without it. test/bench/agent-processors-alone.mjs looks at them in process.
 *
 *   npm run bench -- agent-processors [--rounds 3] [--only transform] [--scale 1] [--before BUNDLE] [--out FILE]
 *
 * --only    works whose name begins so; the result is written only with --out
 * --before  another bundle of ours, measured in turn
 * --without collector   for looking
 */
import { parseArgs } from 'node:util';
import { compare, mediansOf } from './hop/compare.mjs';
import { PROCESSOR_WORKS } from './hop/processor-works.mjs';
import { HOW_TO_BUILD, OTELCOL, OTELCOL_VERSION } from './hop/subject.mjs';
import { facts } from './lib/machine.mjs';
import { pinning } from './lib/pin.mjs';
import { writeResult } from './lib/result-file.mjs';
import { ratioOf } from './lib/statistics.mjs';
import { DRIVER } from './traffic/closed-loop.mjs';

const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
    before: { type: 'string' },
    without: { type: 'string', default: '' },
    out: { type: 'string' },
  },
});
const ROUNDS = Number(args.rounds);
const wanted = args.only?.split(',');
const works = Object.fromEntries(Object.entries(PROCESSOR_WORKS).filter(([name]) => wanted?.some((word) => name.startsWith(word)) ?? true));
const FACTS = facts();
const pins = pinning();
if (OTELCOL === undefined) console.log(`${HOW_TO_BUILD}; measured without it`);

const programs = [
  { name: 'ours', kind: 'ours' },
  ...(args.before === undefined ? [] : [{ name: 'before', kind: 'ours', bundle: args.before }]),
  ...(OTELCOL === undefined ? [] : [{ name: 'collector', kind: 'collector' }]),
].filter(({ name }) => !args.without.split(',').includes(name));
const results = await compare({ works, programsOf: () => programs, rounds: ROUNDS, scale: Number(args.scale), pins });

const cpuOf = (name, program) => (results[name]?.[program]?.runs ?? []).map((run) => run.cpuPerMillion);
const table = Object.entries(works).map(([name, { millions, ...work }]) => {
  const cpuPerMillion = {};
  for (const [program, { runs, failed }] of Object.entries(results[name]))
    cpuPerMillion[program] = runs.length === 0 ? (failed ?? 'void') : mediansOf(runs).cpuPerMillion;
  const plain = results[`none ${work.signal}`];
  const added = {};
  for (const { name: program } of programs)
    if (plain !== undefined && plain[program].runs.length > 0)
      added[program] = cpuPerMillion[program] - mediansOf(plain[program].runs).cpuPerMillion;
  return {
    name,
    processors: work.processors,
    signal: work.signal,
    itemsPerRun: millions * 1e6 * Number(args.scale),
    cpuPerMillion,
    added,
    ratio: ratioOf(cpuOf(name, 'collector'), cpuOf(name, 'ours')),
    ratioToBefore: args.before === undefined ? undefined : ratioOf(cpuOf(name, 'before'), cpuOf(name, 'ours')),
    keptShare: Object.fromEntries(Object.entries(results[name]).map(([program, { runs }]) => [program, runs[0]?.keptShare])),
    runs: Object.fromEntries(programs.map(({ name: program }) => [program, cpuOf(name, program)])),
  };
});
for (const { name, cpuPerMillion, added, ratio, ratioToBefore, keptShare } of table) {
  const parts = Object.entries(cpuPerMillion).map(([program, cpu]) => {
    const more = added[program] === undefined ? '' : ` (+${added[program].toFixed(2)})`;
    return `${program} ${typeof cpu === 'number' ? cpu.toFixed(2) : cpu}${more}`;
  });
  const shown = [
    ratio === undefined ? '' : `ratio ${ratio.ratio.toFixed(2)}`,
    ratioToBefore === undefined ? '' : `before / now ${ratioToBefore.ratio.toFixed(2)}`,
  ];
  console.log(`${name.padEnd(32)} ${parts.join(', ')}; ${shown.filter((one) => one !== '').join('; ')}`);
  if (keptShare.collector !== undefined && keptShare.ours !== undefined && keptShare.collector !== keptShare.ours) {
    console.log(`${name}: ours kept ${keptShare.ours} of the items, the Collector ${keptShare.collector}: they did not do the same work`);
    process.exitCode = 1;
  }
}
if (wanted === undefined || args.out !== undefined)
  writeResult(
    'agent-processors',
    {
      what: 'CPU seconds per million items of one hop with one processor, by the kernel, of all threads of the process: OTLP/gRPC in, memory_limiter, the processor, memory queue, batches of 8192 items or 100 ms, otlp_grpc out, no TLS; 512 items of 373 bytes; closed loop, the program under test on one core; `added` is what it is more than the same hop without the processor',
      ...FACTS,
      pinned: pins,
      versions: { otelcol: OTELCOL_VERSION, ...DRIVER },
      rounds: ROUNDS,
      table,
    },
    args.out,
  );

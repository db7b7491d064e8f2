/**
 * `npm run profile -- WORKLOAD [--set key=value] [--scale 2] [--top 40]`: runs the built agent under a work of the bench
 * (test/bench/hop/works.mjs) and says where its CPU time goes: build/profile/WORKLOAD/ gets a flame graph, a table of the functions with
 * the most self time (text and JSON) and V8's profile. Functions have their names: the bundle for it is not minified.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { enter, ROOT } from './bootstrap.mjs';
import { flameGraph } from './tools/flame-graph.mjs';
import { capture } from './tools/process.mjs';

await enter(import.meta.url);

const { oneRun, PORTS } = await import('../test/bench/hop/compare.mjs');
const { startSink } = await import('../test/bench/hop/measure.mjs');
const { freePorts } = await import('../test/bench/hop/subject.mjs');
const { WORKS } = await import('../test/bench/hop/works.mjs');
const { placesInBundle, readProfile, tableOf } = await import('../test/bench/lib/cpu-profile.mjs');
const { pinning } = await import('../test/bench/lib/pin.mjs');
const { facts } = await import('../test/bench/lib/machine.mjs');

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string', multiple: true, default: [] },
    scale: { type: 'string', default: '2' },
    top: { type: 'string', default: '40' },
  },
});
const [name] = positionals;
const work = WORKS[name];
if (work === undefined) {
  process.stderr.write(`npm run profile -- WORKLOAD, one of: ${Object.keys(WORKS).join(', ')}\n`);
  process.exit(2);
}
/** Fine enough for functions of a microsecond that are called a million times; sampling more often costs more than it shows. */
const INTERVAL_MICROSECONDS = 200;

const folder = join(ROOT, 'build', 'profile', name);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const bundle = join(folder, 'otlp-agent.mjs');
const built = await capture(process.execPath, [join(ROOT, 'agent', 'build-bundle.mjs'), bundle, '--names']);
if (built.code !== 0) {
  process.stderr.write(built.output);
  process.exit(1);
}

const FACTS = facts();
const run = await underLoad();
const file = readdirSync(folder).find((one) => one.endsWith('.cpuprofile'));
if (file === undefined) {
  process.stderr.write('the agent left no profile: it did not end by itself\n');
  process.exit(1);
}
const where = placesInBundle(JSON.parse(readFileSync(`${bundle}.map`, 'utf8')));
const profile = readProfile(JSON.parse(readFileSync(join(folder, file), 'utf8')), { window: run.window, where });
const heading = `${work.what}: ${run.cpuPerMillion.toFixed(3)} CPU s per million items while profiled`;
const table = tableOf(profile, Number(args.top));
const { tree, ...summary } = profile;
writeFileSync(join(folder, 'flame.html'), flameGraph(`${heading}, commit ${FACTS.commit.slice(0, 12)}`, tree));
writeFileSync(join(folder, 'table.txt'), `${heading}\n${table}\n`);
writeFileSync(
  join(folder, 'table.json'),
  `${JSON.stringify({ work: name, ...FACTS, cpuPerMillion: run.cpuPerMillion, ...summary }, null, 1)}\n`,
);
process.stdout.write(`${heading}\n${table}\n\nwritten: build/profile/${name}/flame.html, table.txt, table.json, ${file}\n`);

async function underLoad() {
  const pins = pinning();
  const requests = mkdtempSync(join(tmpdir(), 'otlp-profile-'));
  const sink = await startSink(4, pins.sink);
  try {
    const ports = { ...(await freePorts(PORTS)), sinks: sink.hello.ports };
    const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL_MICROSECONDS}`];
    const program = { name: 'ours', kind: 'ours', bundle, nodeArgs, set: args.set };
    return await oneRun({ folder: requests, sink, ports, pins, scale: Number(args.scale) }, work, program, {});
  } finally {
    await sink.end();
    rmSync(requests, { recursive: true, force: true });
  }
}

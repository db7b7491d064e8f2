/**
 * What each component costs: CPU seconds per million spans of an agent with the component alone on the plain line, and what that is more
 * than the plain line takes. Before each component the plain line is measured again, so that what else the machine does hits both; the
 * median of the differences counts, and their spread is told.
 *
 *   npm run bench -- agent-components [--rounds 5] [--million 0.25] [--only sampler]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { components, configuration } from './agent/components.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const { values: args } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, million: { type: 'string', default: '0.25' }, only: { type: 'string' } },
});
const ROUNDS = Number(args.rounds);
const SPANS_PER_RUN = Number(args.million) * 1_000_000;
const SHAPE = { protocol: 'grpc', spans: 512, spanBytes: 373, connections: 4, inFlight: 8, content: 'service' };
const WARM_UP_SPANS = 50_000;
const CORES = os.availableParallelism();
const TASKSET = CORES >= 3 && process.platform === 'linux' && works('taskset', ['-c', '0', 'true']);
/** The agent on a core of its own, driver and sinks on the others. */
const PIN = { subject: `${CORES - 1}`, others: `0-${CORES - 2}` };

/** Of the start: a run takes a quarter of an hour. */
const COMMIT = git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--', 'agent') === '' ? '' : ' with changes');

const work = mkdtempSync(join(os.tmpdir(), 'otlp-bench-'));
const sinks = { grpc: await child('sink.mjs', [], PIN.others), http: await child('sink-http.mjs', [], PIN.others) };
const driver = await child('driver.mjs', [], PIN.others);
const { plain, variants } = components({ grpc: sinks.grpc.hello.port, http: sinks.http.hello.port, folder: work });
const wanted = variants.filter((one) => args.only === undefined || `${one.of} ${one.what}`.includes(args.only));
const runs = new Map(wanted.map((one) => [one, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const variant of wanted) {
    const before = await measure(undefined);
    const with_ = await measure(variant);
    runs.get(variant).push({ plain: before, component: with_ });
    const line = `${round + 1}/${ROUNDS} ${variant.of} (${variant.what})`.padEnd(80);
    console.log(`${line} ${with_.cpuPerMillion.toFixed(3)} CPU s per million spans, plain ${before.cpuPerMillion.toFixed(3)}`);
  }
}
for (const one of [...Object.values(sinks), driver]) one.process.disconnect();
rmSync(work, { recursive: true });
report();

async function measure(variant) {
  await Promise.all(Object.values(sinks).map((sink) => sink.ask('reset')));
  const file = join(work, 'agent.yaml');
  writeFileSync(file, JSON.stringify(configuration(plain, variant), null, 1));
  const agent = await child('configured-agent.mjs', [file], PIN.subject);
  if (agent.hello.problem !== undefined) throw new Error(`${variant.of} (${variant.what}): ${agent.hello.problem}`);
  const job = { ...SHAPE, port: agent.hello.grpc };
  const warmUp = Math.ceil(WARM_UP_SPANS / SHAPE.spans);
  await driver.ask({ ...job, requests: warmUp });
  const before = await agent.ask('usage');
  const requests = Math.ceil(SPANS_PER_RUN / SHAPE.spans);
  const load = await driver.ask({ ...job, requests });
  const { books } = await agent.ask('drain');
  const after = await agent.ask('usage');
  if (load.failed > 0) throw new Error(`${load.failed} of ${requests} requests were refused`);
  const all = (requests + warmUp) * SHAPE.spans;
  if (books.accepted !== all) throw new Error(`the agent accepted ${books.accepted} spans of ${all}`);
  agent.process.disconnect();
  await agent.ended;
  const millions = (requests * SHAPE.spans) / 1e6;
  const cpu = (after.cpu.user - before.cpu.user + after.cpu.system - before.cpu.system) / 1e6;
  return { cpuPerMillion: cpu / millions, sentShare: books.sent / all, rssMiB: after.rss / 2 ** 20 };
}

async function child(script, argv, cores) {
  const command = TASKSET ? ['taskset', '-c', cores, process.execPath] : [process.execPath];
  const started = spawn(command[0], [...command.slice(1), join(here, 'agent', script), ...argv], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise((resolve) => started.once('exit', resolve));
  const waiting = [];
  const early = [];
  started.on('message', (message) => {
    const next = waiting.shift();
    if (next === undefined) early.push(message);
    else next.resolve(message);
  });
  started.once('exit', (code) => {
    for (const one of waiting) one.reject(new Error(`${script} ended with ${code}`));
  });
  const answer = () =>
    new Promise((resolve, reject) => {
      if (early.length > 0) resolve(early.shift());
      else waiting.push({ resolve, reject });
    });
  const hello = await answer();
  return {
    process: started,
    ended,
    hello,
    ask: (message) => {
      started.send(message);
      return answer();
    },
  };
}

function report() {
  const results = wanted.map((variant) => {
    const pairs = runs.get(variant);
    const added = pairs.map((pair) => pair.component.cpuPerMillion - pair.plain.cpuPerMillion);
    const ratios = pairs.map((pair) => pair.component.cpuPerMillion / pair.plain.cpuPerMillion);
    return {
      of: variant.of,
      what: variant.what,
      cpuPerMillion: median(pairs.map((pair) => pair.component.cpuPerMillion)),
      plainCpuPerMillion: median(pairs.map((pair) => pair.plain.cpuPerMillion)),
      added: { median: median(added), min: Math.min(...added), max: Math.max(...added) },
      ratio: { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
      sentShare: pairs[0].component.sentShare,
      rssMiB: median(pairs.map((pair) => pair.component.rssMiB)),
      runs: pairs,
    };
  });
  const file = {
    what: 'CPU seconds per million spans of an agent with one component, and without it right before; grpc in, 512 spans of 373 bytes with 7 attributes each, memory queue, batches of 8192 spans or 100 ms, otlp_grpc out without compression, no TLS, closed loop',
    command: ['node', 'test/bench/agent-components.mjs', ...process.argv.slice(2)].join(' '),
    date: new Date().toISOString(),
    commit: COMMIT,
    node: process.version,
    machine: {
      cpu: os.cpus()[0]?.model,
      cores: CORES,
      pinned: TASKSET,
      memoryGiB: Math.round(os.totalmem() / 2 ** 30),
      kernel: `${os.type()} ${os.release()}`,
      loadAverage: os.loadavg(),
    },
    spansPerRun: SPANS_PER_RUN,
    rounds: ROUNDS,
    results,
  };
  for (const one of results) {
    const { median: more, min, max } = one.added;
    const sign = more >= 0 ? '+' : '';
    console.log(
      `${`${one.of} (${one.what})`.padEnd(76)} ${sign}${more.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)}), x ${one.ratio.median.toFixed(2)}`,
    );
  }
  // Part of the components is for looking: the file of the reference holds all of them.
  if (args.only !== undefined) return;
  mkdirSync(join(here, 'results'), { recursive: true });
  writeFileSync(join(here, 'results', 'agent-components.json'), `${JSON.stringify(file, null, 2)}\n`);
  console.log('written: test/bench/results/agent-components.json');
}

function median(list) {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
}

function git(...argv) {
  try {
    return execFileSync('git', argv, { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

function works(command, argv) {
  try {
    execFileSync(command, argv);
    return true;
  } catch {
    return false;
  }
}

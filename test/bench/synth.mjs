/**
 * How long the model takes: the whole reference stack constructed, synthesized and printed in a fresh process, and how the cost grows with
 * the number of instrumented services. Two promises: under 1.5 s, and fifty services cost at most sixty times one.
 *
 *   node test/bench/synth.mjs [--rounds 7]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');
const WHOLE_STACK_LIMIT_MS = 1500;
const GROWTH_LIMIT = 60;
const FEW = 1;
const MANY = 50;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, subject: { type: 'string' } } });
if (values.subject !== undefined) {
  process.stdout.write(JSON.stringify(await subject(values.subject)));
} else {
  process.exitCode = report(Number(values.rounds));
}

/** In a process of its own: the modules are loaded before the clock starts, nothing else has run. */
async function subject(what) {
  const { App, Chart } = await import('cdk8s');
  const stack = await import('otlp-stack');
  const outdir = mkdtempSync(join(os.tmpdir(), 'otlp-stack-bench-'));
  try {
    if (what === 'whole') {
      const milliseconds = timed(() => {
        const app = new App({ outdir });
        new stack.OtlpStack(app, 'otlp');
        app.synth();
      });
      return {
        milliseconds,
        files: readdirSync(outdir).length,
        bytes: readdirSync(outdir).reduce((sum, name) => sum + readFileSync(join(outdir, name)).length, 0),
      };
    }
    const services = (count) =>
      timed(() => {
        const chart = new Chart(new App({ outdir }), 'services');
        const upstream = new stack.CollectorGateway(chart, 'Gateway', {
          namespace: 'observability',
          traces: [
            stack.Destination.otlpGrpc(
              'backend',
              new stack.ExternalEndpoint({
                name: 'backend',
                protocol: stack.Protocol.OTLP_GRPC,
                host: 'traces.example.com',
                port: 4317,
                cidr: '192.0.2.7/32',
              }),
            ),
          ],
        });
        for (let index = 0; index < count; index += 1) {
          const service = new stack.OtlpService(chart, `Service${index}`, { name: `service-${index}`, namespace: 'observability' });
          stack.instrument(service, { upstream: upstream.otlpGrpc });
        }
        App.of(chart).synth();
      });
    // Warm: the first runs pay for compiling the code, which would flatter the growth.
    for (let round = 0; round < 5; round += 1) services(MANY);
    const rounds = Array.from({ length: Number(what) }, () => [services(FEW), services(MANY)]);
    return { few: rounds.map(([few]) => few), many: rounds.map(([, many]) => many) };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function timed(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function report(rounds) {
  const run = (what) =>
    JSON.parse(execFileSync(process.execPath, [import.meta.filename, '--subject', String(what)], { cwd: ROOT, encoding: 'utf8' }));
  const whole = Array.from({ length: rounds }, () => run('whole'));
  const growth = run(rounds);
  const milliseconds = round(median(whole.map((one) => one.milliseconds)));
  const [few, many] = [median(growth.few), median(growth.many)];
  const figures = {
    wholeStack: {
      medianMilliseconds: milliseconds,
      worstMilliseconds: round(Math.max(...whole.map((one) => one.milliseconds))),
      limitMilliseconds: WHOLE_STACK_LIMIT_MS,
      files: whole[0].files,
      bytes: whole[0].bytes,
    },
    growth: { services: [FEW, MANY], medianMilliseconds: [round(few), round(many)], factor: round(many / few), limit: GROWTH_LIMIT },
  };
  write(rounds, figures);
  process.stdout.write(
    `whole stack ${milliseconds} ms (at most ${WHOLE_STACK_LIMIT_MS}); ${MANY} services cost ${figures.growth.factor} times ${FEW} (at most ${GROWTH_LIMIT})\n`,
  );
  return milliseconds <= WHOLE_STACK_LIMIT_MS && many / few <= GROWTH_LIMIT ? 0 : 1;
}

function write(rounds, figures) {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const result = {
    what: 'the reference stack constructed, synthesized and printed in a fresh process with its modules loaded; growth in a warm process',
    command: `node test/bench/synth.mjs --rounds ${rounds}`,
    date: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    machine: {
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: os.availableParallelism(),
      memoryGiB: Math.round(os.totalmem() / 2 ** 30),
      kernel: `${os.type()} ${os.release()}`,
      loadAverage: os.loadavg().map(round),
    },
    rounds,
    ...figures,
  };
  writeFileSync(join(folder, 'synth.json'), `${JSON.stringify(result, null, 2)}\n`);
}

function commit() {
  try {
    const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--', 'lib', 'apps') === '' ? '' : ' with changes');
  } catch {
    return 'unknown';
  }
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function round(value) {
  return Math.round(value * 100) / 100;
}

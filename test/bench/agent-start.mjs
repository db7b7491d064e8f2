/**
 * How small the program is: bytes as one file, time from spawn to the first answer of its readiness path (each time a new process), and
 * what it takes when nothing happens but one open connection. The Collector beside it is information.
 *
 *   npm run bench -- agent-start [--rounds 15] [--idle 20] [--out FILE]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePorts, OTELCOL, OTELCOL_VERSION } from './hop/subject.mjs';
import { configuration, WORKS } from './hop/works.mjs';
import { facts, ROOT } from './lib/machine.mjs';
import { writeResult } from './lib/result-file.mjs';
import { median } from './lib/statistics.mjs';
import { cpuBetween, cpuOf, memoryOf } from './lib/usage.mjs';
import { GrpcClient } from './traffic/grpc-client.mjs';

const { values: args } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, idle: { type: 'string', default: '20' }, out: { type: 'string' } },
});
const GOAL = { bundleBytes: 2_000_000, startMs: 150, idleRssMiB: 80, idleCpuShare: 0.002 };
const SETTLE_MS = 2000;
const IDLE_MS = Number(args.idle) * 1000;
const FACTS = facts();

const folder = mkdtempSync(join(os.tmpdir(), 'otlp-bench-'));
const bundle = join(folder, 'otlp-agent.mjs');
execFileSync(process.execPath, [join(ROOT, 'agent', 'build-bundle.mjs'), bundle], { stdio: 'inherit' });
const programs = {
  ours: { command: (file) => [process.execPath, bundle, '--config', file], path: '/readyz' },
  ...(OTELCOL === undefined ? {} : { collector: { command: (file) => [OTELCOL, '--config', file], path: '/' } }),
};

const results = {};
for (const [name, program] of Object.entries(programs)) {
  const runs = [];
  const cpu = [];
  for (let round = 0; round < Number(args.rounds); round += 1) {
    const { milliseconds, cpuMilliseconds, end } = await start(program);
    runs.push(milliseconds);
    cpu.push(cpuMilliseconds);
    await end();
  }
  results[name] = { startMs: median(runs), startRuns: runs, startCpuMs: median(cpu) };
}
// Both wait side by side: neither does anything that could disturb the other.
await Promise.all(
  Object.entries(programs).map(async ([name, program]) => {
    results[name].idle = await idle(program);
  }),
);
results.ours.bundleBytes = statSync(bundle).size;
rmSync(folder, { recursive: true });

const { startMs, bundleBytes, idle: waiting } = results.ours;
const reached = {
  bundleBytes: bundleBytes < GOAL.bundleBytes,
  startMs: startMs < GOAL.startMs,
  idleRssMiB: waiting.rssMiB < GOAL.idleRssMiB,
  idleCpuShare: waiting.cpuShare < GOAL.idleCpuShare,
};
for (const [name, { startMs: ms, startCpuMs: cpu, idle: one }] of Object.entries(results)) {
  console.log(
    `${name.padEnd(9)} ready after ${ms.toFixed(0)} ms (${cpu.toFixed(0)} of CPU), idle at ${one.rssMiB.toFixed(0)} MiB and ${(100 * one.cpuShare).toFixed(2)} % of a core`,
  );
}
console.log(
  `bundle ${(bundleBytes / 1e6).toFixed(2)} MB; missed: ${
    Object.keys(reached)
      .filter((key) => !reached[key])
      .join(', ') || 'nothing'
  }`,
);
writeResult(
  'agent-start',
  {
    what: 'the bundled agent with otlp receiver, memory_limiter, otlp_grpc exporter, health_check and metrics: from spawn to 200 on /readyz; idle with one open gRPC connection, without traffic since its start',
    ...FACTS,
    versions: { otelcol: OTELCOL_VERSION },
    idleSeconds: IDLE_MS / 1000,
    goal: GOAL,
    reached,
    results,
  },
  args.out,
);
process.exitCode = Object.values(reached).every(Boolean) ? 0 : 1;

async function start({ command, path }) {
  const ports = { ...(await freePorts(['grpc', 'http', 'health', 'metrics'])), sinks: [9] };
  const config = join(folder, `config-${ports.grpc}.yaml`);
  // JSON is YAML: both programs read it.
  writeFileSync(config, JSON.stringify(configuration(WORKS['none-512'], ports)));
  const [program, ...argv] = command(config);
  const at = performance.now();
  const child = spawn(program, argv, { stdio: ['ignore', 'ignore', 'ignore'], env: { ...process.env, GOMAXPROCS: '1' } });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!(await ready(ports.health, path))) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode} instead of starting`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const milliseconds = performance.now() - at;
  return {
    milliseconds,
    // Of all threads; says more than the wall on a machine that does something else too.
    cpuMilliseconds:
      1000 *
      cpuOf(child.pid)
        .threads.values()
        .reduce((sum, seconds) => sum + seconds, 0),
    pid: child.pid,
    ports,
    end: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function idle(program) {
  const { pid, ports, end } = await start(program);
  const client = new GrpcClient(ports.grpc, '/', () => {});
  await client.ready;
  await wait(SETTLE_MS);
  const before = cpuOf(pid);
  await wait(IDLE_MS);
  const cpuSeconds = cpuBetween(before, cpuOf(pid)).seconds;
  const { rssMiB, peakMiB } = memoryOf(pid);
  client.close();
  await end();
  return { cpuSeconds, cpuShare: cpuSeconds / (IDLE_MS / 1000), rssMiB, peakMiB };
}

function ready(port, path) {
  return new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}

function wait(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

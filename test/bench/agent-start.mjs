/**
 * How large the program is as one file, and how long it takes from exec to the first answer of its readiness path, each time in a new
 * process. Two promises: below 2 MB, below 300 ms.
 *
 *   node test/bench/agent-start.mjs [--rounds 9]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');
const SIZE_LIMIT_BYTES = 2_000_000;
const START_LIMIT_MS = 300;
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });

const folder = mkdtempSync(join(os.tmpdir(), 'otlp-bench-'));
const bundle = join(folder, 'otlp-agent.mjs');
execFileSync(process.execPath, [join(ROOT, 'agent', 'build-bundle.mjs'), bundle], { stdio: 'inherit' });
const bytes = statSync(bundle).size;

const runs = [];
for (let round = 0; round < Number(values.rounds); round += 1) runs.push(await start());
rmSync(folder, { recursive: true });

const sorted = runs.map((run) => run.milliseconds).toSorted((a, b) => a - b);
const median = sorted[Math.floor(sorted.length / 2)];
const rss = runs.map((run) => run.rssMiB).toSorted((a, b) => a - b)[Math.floor(runs.length / 2)];
const file = {
  what: 'the bundled agent with otlp receiver, memory_limiter, otlp_grpc exporter, health_check and metrics: from spawn to 200 on /readyz',
  command: ['node', 'test/bench/agent-start.mjs', ...process.argv.slice(2)].join(' '),
  date: new Date().toISOString(),
  commit: execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
  node: process.version,
  machine: {
    cpu: os.cpus()[0]?.model,
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    loadAverage: os.loadavg(),
  },
  results: { bundleBytes: bytes, startMilliseconds: median, idleRssMiB: rss, runs },
};
const to = join(import.meta.dirname, 'results');
mkdirSync(to, { recursive: true });
writeFileSync(join(to, 'agent-start.json'), `${JSON.stringify(file, null, 2)}\n`);
console.log(
  `bundle ${(bytes / 1e6).toFixed(2)} MB (limit ${SIZE_LIMIT_BYTES / 1e6}), ready after ${Math.round(median)} ms (limit ${START_LIMIT_MS}), idle at ${Math.round(rss)} MiB`,
);
process.exitCode = bytes <= SIZE_LIMIT_BYTES && median <= START_LIMIT_MS ? 0 : 1;

async function start() {
  const [grpc, web, health, metrics] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const config = join(folder, 'config.yaml');
  writeFileSync(config, yaml(grpc, web, health, metrics));
  const at = performance.now();
  const agent = spawn(process.execPath, [bundle, '--config', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  while (!(await ready(health))) await new Promise((resolve) => setTimeout(resolve, 2));
  const milliseconds = performance.now() - at;
  const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  const rssMiB = Number(/^otelcol_process_memory_rss (\S+)$/m.exec(text)?.[1]) / 2 ** 20;
  agent.kill('SIGTERM');
  const code = await ended;
  if (code !== 0) throw new Error(`the agent ended with ${code}`);
  return { milliseconds, rssMiB };
}

function yaml(grpc, web, health, metrics) {
  return JSON.stringify({
    receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${grpc}` }, http: { endpoint: `127.0.0.1:${web}` } } } },
    processors: { memory_limiter: { check_interval: '1s', limit_mib: 512 } },
    exporters: { otlp_grpc: { endpoint: '127.0.0.1:9', tls: { insecure: true } } },
    extensions: { health_check: { endpoint: `127.0.0.1:${health}` } },
    service: {
      extensions: ['health_check'],
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: metrics } } } }] } },
      pipelines: { traces: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['otlp_grpc'] } },
    },
  });
}

function ready(port) {
  return new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', path: '/readyz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The programs under test, started as a user starts them. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createServer } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { output, ROOT } from '../lib/machine.mjs';
import { pinned } from '../lib/pin.mjs';
import { configuration, settingsOfOurs } from './works.mjs';

const CACHE = process.env.OTLP_REAL_CACHE ?? join(os.homedir(), '.cache', 'otlp-stack-real');
const READY_WITHIN_MS = 20_000;
const END_WITHIN_MS = 15_000;

/** The bundle that `npm run build` makes; OTLP_BENCH_BUNDLE names another one, for looking. */
export const BUNDLE = process.env.OTLP_BENCH_BUNDLE ?? join(ROOT, 'agent', 'build', 'otlp-agent.mjs');
export const OTELCOL = executable(join(CACHE, 'bin', 'otelcol'));
export const OTELCOL_VERSION = OTELCOL === undefined ? undefined : output(OTELCOL, ['--version'])?.replace(/^otelcol version /, '');
/** A bench that is interrupted leaves no program behind. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** What to tell who has no Collector. */
export const HOW_TO_BUILD = 'the real Collector is not built: run test/real/components/build otelcol';

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

/**
 * Ports that are free and that no client gets by chance: below what the kernel hands out (32768 and up by default).
 *
 * @returns `{ name: port }`
 */
export async function freePorts(names) {
  const ports = {};
  for (const name of names) {
    do ports[name] = LOWEST_PORT + Math.floor(Math.random() * PORTS);
    while (!(await free(ports[name])) || names.some((other) => other !== name && ports[other] === ports[name]));
  }
  return ports;
}

const LOWEST_PORT = 12_000;
const PORTS = 20_000;

function free(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * @param kind `ours`, `collector` or `pipe`
 * @param cpus list for taskset
 * @param bundle of ours @default the built one
 * @param cores what the Collector may use @default 1
 * @param nodeArgs of our program, for profiles
 */
export async function startSubject(kind, work, ports, { cpus, bundle = BUNDLE, cores = 1, nodeArgs = [], set = [], cwd } = {}) {
  const folder = mkdtempSync(join(os.tmpdir(), 'otlp-bench-'));
  const file = join(folder, 'config.yaml');
  writeFileSync(file, stringify(configuration(work, ports)));
  const settings = [...settingsOfOurs(work, ports), ...set];
  const pipe = [
    process.execPath,
    join(import.meta.dirname, '..', 'agent', 'pipe.mjs'),
    `${ports.sinks[0]}`,
    `${ports.grpc}`,
    `${ports.health}`,
  ];
  const command = {
    ours: [process.execPath, ...nodeArgs, bundle, '--config', file, ...settings.flatMap((one) => ['--set', one])],
    collector: [OTELCOL, '--config', file],
    pipe,
  }[kind];
  if (kind === 'ours' && !existsSync(bundle)) throw new Error(`${bundle} is not built: run npm run build`);
  const [program, ...argv] = pinned(cpus, command);
  const child = spawn(program, argv, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, GOMAXPROCS: String(cores) } });
  running.add(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      log = (log + data).slice(-8192);
    });
  }
  let code;
  const ended = new Promise((resolve) => {
    child.once('exit', (status, signal) => {
      code = status ?? signal;
      running.delete(child);
      resolve();
    });
  });
  const startedAt = performance.now();
  while (!(await healthy(ports.health))) {
    if (code !== undefined || performance.now() - startedAt > READY_WITHIN_MS) {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      throw new Error(`${kind} did not start (${code ?? 'not ready in time'}): ${lastLine(log)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    kind,
    pid: child.pid,
    settings: kind === 'ours' ? settings : [],
    log: () => log,
    get code() {
      return code;
    },
    async end() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
      await ended;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a program said last, shortened: Go's and ours tell the reason there. */
export function lastLine(log) {
  return (log.trim().split('\n').at(-1) ?? '').slice(0, 400);
}

function healthy(port) {
  return new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', path: '/', agent: false, timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/**
 * The closed-loop driver: Debian's h2load (nghttp2-client) with real OTLP requests, one process for each prepared request; our own where it
 * is not installed, which the result says.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { startChild } from '../lib/child.mjs';
import { output } from '../lib/machine.mjs';
import { pinned } from '../lib/pin.mjs';

const PATHS = {
  grpc: (signal) => {
    const service = { traces: 'trace.v1.TraceService', metrics: 'metrics.v1.MetricsService', logs: 'logs.v1.LogsService' }[signal];
    return `/opentelemetry.proto.collector.${service}/Export`;
  },
  http: (signal) => `/v1/${signal}`,
};

/** `nghttp2/1.52.0`, or undefined where it is not installed (or OTLP_BENCH_WITHOUT_H2LOAD is set, to try that). */
const H2LOAD = process.env.OTLP_BENCH_WITHOUT_H2LOAD === undefined ? output('h2load', ['--version'])?.replace(/^h2load /, '') : undefined;
/** For result files: which driver it was. */
export const DRIVER = H2LOAD === undefined ? { driver: 'our own, as h2load is not installed' } : { h2load: H2LOAD };

/**
 * @param files of the prepared requests; each gets as many processes as needed, they run at the same time
 * @param requests for each file
 * @returns seconds, CPU seconds of each process, how many requests were sent
 */
export function closedLoop(load) {
  return H2LOAD === undefined ? ownLoop(load) : h2load(load);
}

async function h2load({ files, requests, protocol, signal, encoding, port, connections, inFlight, cpus, timeoutMs = 120_000 }) {
  const headers =
    protocol === 'grpc'
      ? ['content-type: application/grpc', 'te: trailers', ...(encoding === 'identity' ? [] : [`grpc-encoding: ${encoding}`])]
      : ['content-type: application/x-protobuf', ...(encoding === 'identity' ? [] : [`content-encoding: ${encoding}`])];
  const each = Math.max(1, Math.round(connections / files.length));
  // HTTP/1.1 has one request at a time on a connection, so it gets as many connections as the other has requests under way.
  const clients = protocol === 'grpc' ? each : each * inFlight;
  const argv = (file) => [
    ...(protocol === 'grpc' ? [] : ['--h1']),
    `-n${requests}`,
    `-c${Math.min(clients, requests)}`,
    `-m${protocol === 'grpc' ? inFlight : 1}`,
    `-d${file}`,
    ...headers.flatMap((header) => ['-H', header]),
    `http://127.0.0.1:${port}${PATHS[protocol](signal)}`,
  ];
  const startedAt = performance.now();
  const runs = await Promise.all(files.map((file) => one(argv(file), cpus, timeoutMs)));
  for (const { text, code } of runs) {
    const succeeded = Number(/, (\d+) succeeded/.exec(text)?.[1]);
    if (code !== 0 || succeeded !== requests) throw new Error(`h2load: ${summary(text) ?? `ended with ${code}`}`);
  }
  return {
    seconds: (performance.now() - startedAt) / 1000,
    sent: requests * files.length,
    processes: runs.map(({ cpu, seconds }) => ({ cpu, seconds })),
  };
}

async function ownLoop({ cpus, timeoutMs: _, ...job }) {
  const child = await startChild(join(import.meta.dirname, 'closed-loop-child.mjs'), { cpus });
  const startedAt = performance.now();
  const { succeeded, failed, problem, cpu } = await child.ask({ ...job, path: PATHS[job.protocol](job.signal) });
  const seconds = (performance.now() - startedAt) / 1000;
  await child.end();
  const sent = job.requests * job.files.length;
  if (succeeded !== sent) throw new Error(problem ?? `${failed} of ${sent} requests failed`);
  return { seconds, sent, processes: [{ cpu: (cpu.user + cpu.system) / 1e6, seconds }] };
}

function summary(text) {
  return text
    .split('\n')
    .filter((line) => /^(requests|status codes|.*rror)/.test(line))
    .join('; ');
}

/** `times` of the shell tells what its children took, which the kernel tells nobody else once they are gone. */
function one(argv, cpus, timeoutMs) {
  const [command, ...rest] = pinned(cpus, ['h2load', ...argv]);
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn('sh', ['-c', '"$@"; code=$?; times; exit $code', 'sh', command, ...rest], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        text += data;
      });
    }
    // The shell and h2load are a process group of their own.
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), timeoutMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const times = text
        .trimEnd()
        .split('\n')
        .at(-1)
        .matchAll(/(\d+)m([\d.]+)s/g);
      const cpu = [...times].reduce((all, [, minutes, seconds]) => all + Number(minutes) * 60 + Number(seconds), 0);
      resolve({ text, code: code ?? signal, cpu, seconds: (performance.now() - startedAt) / 1000 });
    });
  });
}

/** The program itself, the one file that `npm run build` makes, with its memory and its metrics as seen from outside. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../agent/build/otlp-agent.mjs', import.meta.url));

/** What a storm may add between two looks at the memory; from limit less this on, garbage is collected. */
const SPIKE_SHARE = 0.4;

const config = (sinkPort, limitMib) => `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } } }
processors:
  memory_limiter: { check_interval: 250ms, limit_mib: ${limitMib}, spike_limit_mib: ${Math.round(limitMib * SPIKE_SHARE)} }
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${sinkPort}
    compression: none
    tls: { insecure: true }
    sending_queue: { queue_size: 10000, batch: { min_size: 8192, flush_timeout: 100ms } }
service:
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }] } }
  pipelines:
    traces: &line { receivers: [otlp], processors: [memory_limiter], exporters: [otlp_grpc] }
    metrics: *line
    logs: *line
    profiles: *line
`;

export async function startAgent(sinkPort, limitMib) {
  const file = join(mkdtempSync(join(tmpdir(), 'otlp-faults-')), 'agent.yaml');
  writeFileSync(file, config(sinkPort, limitMib));
  // With its inspector open: the only way from outside to ask for a collection.
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', MAIN, '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const inspector = Promise.withResolvers();
  let out = '';
  const { promise: started, resolve, reject } = Promise.withResolvers();
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out = (out + text).slice(-200_000);
    const line = out.split('\n').find((each) => each.includes('"msg":"started"'));
    if (line !== undefined) resolve(JSON.parse(line).listening);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    out += text;
    const url = /ws:\/\/\S+/u.exec(text)?.[0];
    if (url !== undefined) inspector.resolve(url);
  });
  const ended = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
  void ended.then(() => reject(new Error(`the agent did not start:\n${out}`)));
  const listening = await started;
  const port = (name) => Number(listening[name].slice(listening[name].lastIndexOf(':') + 1));
  return {
    ports: { grpc: port('otlp/grpc'), http: port('otlp/http') },
    ended,
    alive: () => child.exitCode === null && child.signalCode === null,
    output: () => out,
    /** MiB now. */
    rss: () => statusMib(child.pid, 'VmRSS'),
    /** A full collection, so that what is measured after it is what is held and not what V8 has not looked at yet. */
    collect: async () => collectGarbage(await inspector.promise),
    /** MiB at most since the start. */
    peak: () => statusMib(child.pid, 'VmHWM'),
    metrics: async () => (await fetch(`http://${listening.metrics}/metrics`)).text(),
    terminate: () => child.kill('SIGTERM'),
    kill: () => child.kill('SIGKILL'),
  };
}

function collectGarbage(url) {
  const { promise, resolve } = Promise.withResolvers();
  const socket = new WebSocket(url);
  const command = (id, method) => socket.send(JSON.stringify({ id, method }));
  socket.onopen = () => command(1, 'HeapProfiler.enable');
  socket.onmessage = ({ data }) => {
    const { id } = JSON.parse(data);
    if (id === 1) command(2, 'HeapProfiler.collectGarbage');
    if (id !== 2) return;
    socket.close();
    resolve();
  };
  socket.onerror = () => resolve();
  return promise;
}

function statusMib(pid, field) {
  try {
    return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`, 'u').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

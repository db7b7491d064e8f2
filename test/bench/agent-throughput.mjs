/**
 * CPU seconds per million spans of one agent on one core, between a driver and a sink in processes of their own, next to a plain TCP
 * pipe in Node that carries the same bytes. Variants take turns, so that what else the machine does hits all of them; the median counts.
 *
 *   node test/bench/agent-throughput.mjs [--rounds 3] [--million 1] [--agent agent/build/otlp-agent-library.mjs]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    million: { type: 'string', default: '1' },
    agent: { type: 'string', default: 'agent/index.ts' },
    only: { type: 'string' },
  },
});
/** What the agent promises for the first shape: spans per second and core. */
const PROMISE = { shape: 'grpc in, 512 x 373 B', spansPerSecondAndCore: 1_000_000 };
const ROUNDS = Number(args.rounds);
const SPANS_PER_RUN = Number(args.million) * 1_000_000;
const CORES = os.availableParallelism();
const TASKSET = CORES >= 3 && process.platform === 'linux' && works('taskset', ['-c', '0', 'true']);
/** Process under test on a core of its own, driver and sink on the others. */
const PIN = { subject: `${CORES - 1}`, others: `0-${CORES - 2}` };

const SHAPES = {
  'pipe, 512 x 373 B': { subject: 'pipe', protocol: 'grpc', spans: 512, spanBytes: 373, connections: 4, inFlight: 8 },
  'grpc in, 512 x 373 B': { subject: 'agent', protocol: 'grpc', spans: 512, spanBytes: 373, connections: 4, inFlight: 8 },
  'http in, 512 x 373 B': { subject: 'agent', protocol: 'http', spans: 512, spanBytes: 373, connections: 4, inFlight: 8 },
  'pipe, 25 x 376 B': { subject: 'pipe', protocol: 'grpc', spans: 25, spanBytes: 376, connections: 4, inFlight: 8 },
  'grpc in, 25 x 376 B': { subject: 'agent', protocol: 'grpc', spans: 25, spanBytes: 376, connections: 4, inFlight: 8 },
  'http in, 25 x 376 B': { subject: 'agent', protocol: 'http', spans: 25, spanBytes: 376, connections: 4, inFlight: 8 },
};

const work = mkdtempSync(join(os.tmpdir(), 'otlp-bench-'));
const sink = await child('sink.mjs', [], PIN.others);
const driver = await child('driver.mjs', [], PIN.others);
const names = Object.keys(SHAPES).filter((name) => args.only === undefined || name.includes(args.only));
const runs = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of names) {
    const result = await one(SHAPES[name]);
    runs[name].push(result);
    console.log(
      `${round + 1}/${ROUNDS} ${name.padEnd(24)} ${result.cpuPerMillion.toFixed(3)} CPU s per million spans, ${Math.round(result.spansPerSecond / 1000)} k spans/s, ${Math.round(result.rssMiB)} MiB`,
    );
  }
}
sink.process.disconnect();
driver.process.disconnect();
rmSync(work, { recursive: true });
report();

async function one(shape) {
  await sink.ask('reset');
  const subject = shape.subject === 'pipe' ? await child('pipe.mjs', [String(sink.hello.port)], PIN.subject) : await startAgent();
  const job = {
    protocol: shape.protocol,
    port: subject.hello[shape.protocol],
    spans: shape.spans,
    spanBytes: shape.spanBytes,
    connections: shape.connections,
    inFlight: shape.inFlight,
  };
  await driver.ask({ ...job, requests: Math.ceil(100_000 / shape.spans) }); // warm-up: code compiled, windows open
  const before = await subject.ask('usage');
  const requests = Math.ceil(SPANS_PER_RUN / shape.spans);
  const load = await driver.ask({ ...job, requests });
  if (shape.subject === 'agent') await subject.ask('drain');
  const after = await subject.ask('usage');
  const counted = await sink.ask('count');
  const expected = load.bytes + Math.ceil(100_000 / shape.spans) * load.requestBytes;
  if (load.failed > 0) throw new Error(`${load.failed} of ${requests} requests were refused`);
  if (counted.bytes !== expected) throw new Error(`the sink got ${counted.bytes} bytes of ${expected}`);
  subject.process.disconnect();
  await subject.ended;
  const millions = (requests * shape.spans) / 1e6;
  const cpu = (after.cpu.user - before.cpu.user + after.cpu.system - before.cpu.system) / 1e6;
  return {
    cpuPerMillion: cpu / millions,
    spansPerSecond: (requests * shape.spans) / load.seconds,
    perCoreSpansPerSecond: 1e6 / (cpu / millions),
    p50Ms: load.p50Ms,
    p95Ms: load.p95Ms,
    rssMiB: after.rss / 2 ** 20,
  };
}

function startAgent() {
  const file = join(work, 'settings.json');
  writeFileSync(file, JSON.stringify(settings(sink.hello.port)));
  return child('agent.mjs', [file, join(root, args.agent)], PIN.subject);
}

/** memory_limiter, a queue and batches of 8192 spans or 100 ms, no compression: what the comparison in docs/benchmarks states. */
function settings(port) {
  const address = { kind: 'tcp', host: '127.0.0.1', port: 0 };
  const keepalive = {
    maxConnectionIdleMs: 0,
    maxConnectionAgeMs: 0,
    maxConnectionAgeGraceMs: 0,
    timeMs: 7_200_000,
    timeoutMs: 20_000,
    minPingIntervalMs: 300_000,
    permitWithoutStream: false,
  };
  const limit = 64 * 2 ** 20;
  const paths = { traces: '/v1/traces', metrics: '/v1/metrics', logs: '/v1/logs', profiles: '/v1development/profiles' };
  const queue = {
    enabled: true,
    consumers: 10,
    capacity: 5000,
    sizer: 'requests',
    overflow: 'block',
    waitForResult: false,
    batch: { flushTimeoutMs: 100, minSize: 8192, maxSize: 0, sizer: 'items' },
  };
  const retry = {
    enabled: true,
    initialIntervalMs: 5000,
    randomizationFactor: 0.5,
    multiplier: 1.5,
    maxIntervalMs: 30_000,
    maxElapsedMs: 300_000,
  };
  const limits = { maxConnections: 4096, bodyIdleMs: 60_000, minBodyRate: 16_384, writeTimeoutMs: 30_000 };
  return {
    receivers: {
      otlp: {
        id: 'otlp',
        grpc: {
          address,
          maxMessageBytes: limit,
          maxConcurrentStreams: 1000,
          keepalive,
          includeMetadata: false,
          handshakeTimeoutMs: 20_000,
          limits,
        },
        http: {
          address,
          maxBodyBytes: limit,
          readHeaderTimeoutMs: 60_000,
          readTimeoutMs: 0,
          idleTimeoutMs: 60_000,
          paths,
          compressionAlgorithms: ['gzip'],
          responseHeaders: {},
          keepAlives: true,
          includeMetadata: false,
          limits,
        },
      },
    },
    processors: {
      memory_limiter: {
        kind: 'memory_limiter',
        id: 'memory_limiter',
        checkIntervalMs: 1000,
        minGcIntervalSoftMs: 10_000,
        minGcIntervalHardMs: 0,
        limitBytes: 512 * 2 ** 20,
        spikeBytes: 128 * 2 ** 20,
      },
    },
    exporters: {
      otlp_grpc: {
        kind: 'otlp_grpc',
        id: 'otlp_grpc',
        address: { kind: 'tcp', host: '127.0.0.1', port },
        authority: `127.0.0.1:${port}`,
        compression: 'none',
        headers: {},
        timeoutMs: 5000,
        queue,
        retry,
      },
    },
    connectors: {},
    extensions: [],
    pipelines: [{ id: 'traces', signal: 'traces', receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['otlp_grpc'] }],
    telemetry: { logs: { level: 'info', encoding: 'json' }, resource: {} },
    agent: { drainDeadlineMs: 30_000, reloadIntervalMs: 0, thresholds: { cpu: 0.8, memory: 0.85, io: 0.9 } },
  };
}

async function child(script, argv, cores) {
  const command = TASKSET ? ['taskset', '-c', cores, process.execPath] : [process.execPath];
  const process_ = spawn(command[0], [...command.slice(1), join(here, 'agent', script), ...argv], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise((resolve) => process_.once('exit', resolve));
  const answers = [];
  const waiting = [];
  process_.on('message', (message) => {
    const next = waiting.shift();
    if (next === undefined) answers.push(message);
    else next(message);
  });
  process_.setMaxListeners(0);
  const answer = () =>
    new Promise((resolve, reject) => {
      process_.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
      const ready = answers.shift();
      if (ready === undefined) waiting.push(resolve);
      else resolve(ready);
    });
  const hello = await answer();
  return {
    process: process_,
    ended,
    hello,
    ask: (message) => {
      process_.send(message);
      return answer();
    },
  };
}

function report() {
  const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
  const results = Object.fromEntries(
    names.map((name) => {
      const keys = Object.keys(runs[name][0]);
      return [
        name,
        {
          ...SHAPES[name],
          median: Object.fromEntries(keys.map((key) => [key, median(runs[name].map((run) => run[key]))])),
          runs: runs[name],
        },
      ];
    }),
  );
  const file = {
    what: 'CPU seconds per million spans through one agent process; memory_limiter, memory queue, batches of 8192 spans or 100 ms, no compression, acknowledged when stored, no TLS, closed loop',
    command: ['node', 'test/bench/agent-throughput.mjs', ...process.argv.slice(2)].join(' '),
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD') + (git('status', '--porcelain', '--', 'agent') === '' ? '' : ' with changes'),
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
  mkdirSync(join(here, 'results'), { recursive: true });
  const to = join(here, 'results', 'agent-throughput.json');
  writeFileSync(to, `${JSON.stringify(file, null, 2)}\n`);
  for (const name of names)
    console.log(
      `${name.padEnd(24)} ${results[name].median.cpuPerMillion.toFixed(3)} CPU s per million spans (${(results[name].median.perCoreSpansPerSecond / 1e6).toFixed(2)} M spans/s on one core)`,
    );
  console.log('written: test/bench/results/agent-throughput.json');
  const reached = results[PROMISE.shape]?.median.perCoreSpansPerSecond;
  if (reached !== undefined && reached < PROMISE.spansPerSecondAndCore) process.exitCode = 1;
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

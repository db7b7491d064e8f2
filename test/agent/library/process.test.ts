import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OtlpSink, startOtlpSink } from '../../support/otlp-sink.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** Inside of the repository, so that the package resolves by its name, as it is published (build/). */
const parent = join(ROOT, 'node_modules', '.cache');
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, 'library-process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let sink: OtlpSink;
beforeEach(async () => {
  sink = await startOtlpSink();
});
afterEach(() => sink.close());

interface Ended {
  readonly code: number | null;
  readonly out: unknown;
  readonly err: string;
}

/** Runs a program to the end that it comes to by itself; what it prints last is JSON. One that stays is the test's timeout. */
function program(name: string, text: string): Promise<Ended> {
  const path = join(folder, name);
  writeFileSync(path, text);
  const env = { ...process.env, GRPC: `http://${sink.grpcAddress}`, HTTP: sink.httpUrl };
  const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { promise, resolve } = Promise.withResolvers<Ended>();
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (err += part));
  child.on('close', (code) => resolve({ code, out: out === '' ? undefined : (JSON.parse(out) as unknown), err }));
  return promise;
}

/** One span: resource_spans { scope_spans { spans {} } }. */
const SPAN = 'const SPAN = Uint8Array.of(0x0a, 0x04, 0x12, 0x02, 0x12, 0x00);';
const BOTH = `[{ exporter: { endpoint: process.env.GRPC } }, { exporter: { protocol: 'http/protobuf', endpoint: process.env.HTTP } }]`;

describe('a program with the agent inside', () => {
  it('ends by itself after close(), whatever was going on', async () => {
    const ended = await program(
      'closes.mjs',
      `import { create } from 'otlp-stack-agent';
${SPAN}
const away = [{ exporter: { endpoint: 'http://127.0.0.1:9' } }, { exporter: { protocol: 'http/protobuf', endpoint: 'http://127.0.0.1:9' } }];
const results = [];
for (const config of [...${BOTH}, ...away]) {
  const agent = await create(config);
  for (let i = 0; i < 20; i += 1) agent.offer('traces', SPAN);
  if (!away.includes(config)) await agent.drain();
  await agent.close();
  results.push(agent.stats().books.total);
}
await new Promise((resolve) => setImmediate(resolve));
const left = process.getActiveResourcesInfo().filter((one) => one !== 'PipeWrap' && one !== 'Immediate');
process.stdout.write(JSON.stringify({ left, totals: results.map(({ sent, evicted }) => [sent, evicted]) }));
`,
    );
    const totals = [
      [20, 0],
      [20, 0],
      [0, 20],
      [0, 20],
    ];
    expect(ended).toEqual({ code: 0, out: { left: [], totals }, err: '' });
  });

  it('ends by itself also where it forgets close(), once everything is delivered', async () => {
    const ended = await program(
      'forgets.mjs',
      `import { create } from 'otlp-stack-agent';
${SPAN}
for (const config of ${BOTH}) (await create(config)).offer('traces', SPAN);
`,
    );
    expect(ended).toEqual({ code: 0, out: undefined, err: '' });
    expect(sink.spans()).toHaveLength(2);
  });

  it('gets the same module by import and by require, so that there is one of everything', async () => {
    const ended = await program(
      'both.cjs',
      `const agent = require('otlp-stack-agent');
const sdk = require('otlp-stack-agent/opentelemetry');
${SPAN}
(async () => {
  const same = agent === (await import('otlp-stack-agent')) && sdk === (await import('otlp-stack-agent/opentelemetry'));
  const one = await agent.create({ exporter: { endpoint: process.env.GRPC } });
  const outcome = await one.sendRaw('traces', SPAN);
  await one.close();
  process.stdout.write(JSON.stringify({ same, outcome: outcome.kind, sdk: Object.keys(sdk).sort() }));
})();
`,
    );
    const sdk = ['AgentLogRecordExporter', 'AgentMetricExporter', 'AgentSpanExporter'];
    expect(ended).toEqual({ code: 0, out: { same: true, outcome: 'ok', sdk }, err: '' });
  });

  it('may have one in each worker thread, and may terminate one of them in the middle', async () => {
    const ended = await program(
      'workers.mjs',
      `import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { create } from 'otlp-stack-agent';
${SPAN}
const agent = await create(workerData?.config ?? { exporter: { endpoint: process.env.GRPC } });
if (isMainThread) {
  const configs = [...${BOTH}, { exporter: { endpoint: 'http://127.0.0.1:9' } }];
  const workers = configs.map((config) => new Worker(new URL(import.meta.url), { workerData: { config } }));
  const stuck = workers[2];
  const online = once(stuck, 'online');
  const said = await Promise.all(workers.slice(0, 2).map(async (worker) => (await once(worker, 'message'))[0]));
  await online;
  await stuck.terminate();
  const outcome = await agent.sendRaw('traces', SPAN);
  await agent.close();
  process.stdout.write(JSON.stringify({ said, outcome: outcome.kind }));
} else {
  for (let i = 0; i < 10; i += 1) agent.offer('traces', SPAN);
  const { total } = await agent.drain();
  await agent.close();
  parentPort.postMessage(total.sent);
}
`,
    );
    expect(ended).toEqual({ code: 0, out: { said: [10, 10], outcome: 'ok' }, err: '' });
    expect(sink.spans()).toHaveLength(21);
  });

  it('changes nothing of its process: no listeners, no global, no output', async () => {
    const ended = await program(
      'globals.mjs',
      `const before = { names: Object.getOwnPropertyNames(globalThis), events: process.eventNames().length, env: JSON.stringify(process.env) };
const { create } = await import('otlp-stack-agent');
await import('otlp-stack-agent/opentelemetry');
const agent = await create({ exporter: { endpoint: process.env.GRPC } });
${SPAN}
await agent.sendRaw('traces', SPAN);
const after = { names: Object.getOwnPropertyNames(globalThis), events: process.eventNames().length, env: JSON.stringify(process.env) };
await agent.close();
// zod keeps a registry there; nothing of ours is in it.
const added = after.names.filter((name) => !before.names.includes(name) && !name.startsWith('__zod_'));
process.stdout.write(JSON.stringify({ added, events: after.events - before.events, env: after.env === before.env }));
`,
    );
    expect(ended).toEqual({ code: 0, out: { added: [], events: 0, env: true }, err: '' });
  });
});

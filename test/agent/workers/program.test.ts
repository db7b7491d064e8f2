import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { configFile, runAgent, takenPort } from '../support/program.ts';
import { clients, postAll, sendAll, start, yaml } from './support.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function sink(answer?: Parameters<typeof grpcSink>[0]): Promise<Sink> {
  const made = await grpcSink(answer);
  open.push(made);
  return made;
}

function connect(port: number, count: number): ReturnType<typeof clients> {
  const made = clients(port, count);
  open.push(...made);
  return made;
}

/** A next hop that takes requests and answers none. */
async function hangingHop(): Promise<number> {
  const server = createServer();
  server.on('stream', (stream) => void stream.on('error', () => {}).resume());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => void server.close() });
  return (server.address() as AddressInfo).port;
}

const ITEMS = 10;
/** The kernel gives each connection to any of the workers: that one of two gets none of so many happens once in 10^9 runs. */
const MANY = 32;

describe('two workers', () => {
  it('share many connections, and count together what the next hop got', async () => {
    const hop = await sink();
    await using agent = await start({ backend: hop.port });
    let stopped = false;
    const all = connect(agent.grpcPort, MANY);
    // Each has its connection, however long one worker stands still while the other works.
    await Promise.all(all.map((client) => client.export('traces', request('traces', ITEMS))));
    const load = sendAll(all, ITEMS, () => stopped);
    await until(() => hop.delivered() > MANY * 20 * ITEMS);
    expect((await agent.metrics()).all('otlp_agent_worker_connections').reduce((a, b) => a + b, 0)).toBe(MANY);
    stopped = true;
    const { sent: ofLoad, refused } = await load;
    const sent = ofLoad + MANY * ITEMS;
    expect(refused).toEqual([]);
    await until(() => hop.delivered() >= sent);
    let metrics = await agent.metrics();
    while (metrics.sum('otelcol_exporter_sent_spans') < sent) metrics = await agent.metrics(); // the answer of the hop is on its way
    expect(hop.delivered()).toBe(sent);
    expect(metrics.sum('otelcol_receiver_accepted_spans')).toBe(sent);
    expect(metrics.sum('otelcol_exporter_sent_spans')).toBe(sent);
    expect(metrics.sum('otlp_agent_receiver_requests')).toBe(sent / ITEMS);
    expect(metrics.sum('otelcol_exporter_queue_capacity')).toBe(1000);
    expect(metrics.sum('otlp_agent_held_bytes')).toBeGreaterThanOrEqual(0);
    expect(metrics.sum('otlp_agent_workers ')).toBe(2);
    const shares = metrics.all('otlp_agent_worker_items');
    expect(shares[0]).toBeGreaterThan(0);
    expect(shares[1]).toBeGreaterThan(0);
    expect((shares[0] ?? 0) + (shares[1] ?? 0)).toBe(sent);
    agent.program.signal('SIGTERM');
    expect((await agent.program.ended).code).toBe(0);
    expect(await agent.program.event('drained')).toMatchObject({
      received: sent,
      accepted: sent,
      refused: 0,
      failed: 0,
      sent,
      evicted: 0,
      queued: 0,
    });
  });

  it('say that one connection gives work to one of them', async () => {
    const hop = await sink();
    await using agent = await start({ backend: hop.port });
    const [only] = connect(agent.grpcPort, 1);
    await only?.export('traces', request('traces', ITEMS));
    expect(await agent.program.event('workers without work')).toMatchObject({
      level: 'warn',
      connections: 1,
      remedy: expect.stringContaining('one connection'),
    });
    const metrics = await agent.metrics();
    expect(metrics.sum('otlp_agent_workers_single_connection')).toBe(1);
    expect(metrics.sum('otlp_agent_workers_idle')).toBe(1);
  });

  it('are ready together, and /status adds their queues up', async () => {
    const hop = await sink();
    await using agent = await start({ backend: hop.port });
    expect((await agent.health('/readyz')).status).toBe(200);
    expect(await (await agent.health('/status')).json()).toMatchObject({
      status: 'ok',
      pipelines: [{ id: 'traces', exporters: [{ id: 'otlp_grpc', queue: { size: 0, capacity: 1000 } }] }],
    });
  });

  it('take other settings over together, with no request refused, none lost and none twice', async () => {
    const hop = await sink();
    await using agent = await start({ backend: hop.port });
    let stopped = false;
    const load = Promise.all([sendAll(connect(agent.grpcPort, MANY), 1, () => stopped), postAll(agent.httpPort, () => stopped)]);
    const steps = [{ environment: 'blue' }, { environment: 'blue', queueSize: 500 }, { environment: 'green', limitMib: 1500 }];
    for (const [i, step] of steps.entries()) {
      writeFileSync(agent.file, yaml({ backend: hop.port, ...step }));
      agent.program.signal('SIGHUP');
      await agent.program.event('configuration reloaded', i + 1);
    }
    const before = hop.received.length;
    await until(() => hop.received.length > before + 200);
    stopped = true;
    const [calls, posts] = await load;
    const sent = calls.sent + posts.sent;
    expect([...calls.refused, ...posts.refused]).toEqual([]);
    expect(posts.sent).toBeGreaterThan(0);
    const metrics = await agent.metrics();
    expect(metrics.sum('otlp_agent_config_reloads{result="success"}')).toBe(steps.length);
    expect(metrics.all('otlp_agent_worker_items').every((items) => items > 0)).toBe(true);
    agent.program.signal('SIGTERM');
    expect((await agent.program.ended).code).toBe(0);
    expect(await agent.program.event('drained')).toMatchObject({ received: sent, sent, evicted: 0 });
    const names = hop.received.map(({ body }) => /(?:client-\d+|post)-\d+-0\/0/u.exec(body.toString('latin1'))?.[0]);
    expect(new Set(names).size).toBe(sent);
    expect(names.length).toBe(sent);
    const last = hop.received.slice(-50);
    expect(last.every(({ body }) => body.includes('green'))).toBe(true);
  });

  it('all stay as they were where one address of new settings cannot be had', async () => {
    const hop = await sink();
    await using taken = await takenPort();
    await using agent = await start({ backend: hop.port });
    writeFileSync(agent.file, yaml({ backend: hop.port, environment: 'blue', httpPort: taken.port }));
    agent.program.signal('SIGHUP');
    expect(await agent.program.event('configuration not reloaded, the old one runs on')).toMatchObject({
      reason: expect.stringContaining(`cannot listen on 127.0.0.1:${taken.port}`),
    });
    const all = connect(agent.grpcPort, MANY);
    await Promise.all(all.map((client) => client.export('traces', request('traces', 1))));
    await until(() => hop.delivered() === MANY);
    expect(hop.received.every(({ body }) => body.includes('none'))).toBe(true);
    expect((await agent.metrics()).sum('otlp_agent_config_reloads{result="failure"}')).toBe(1);
  });

  it('deliver at SIGTERM all that they have said yes to', async () => {
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const hop = await sink(() => asked.then(() => undefined));
    await using agent = await start({ backend: hop.port });
    let stopped = false;
    const load = sendAll(connect(agent.grpcPort, MANY), ITEMS, () => stopped);
    let accepted = 0;
    while (accepted < MANY * 10 * ITEMS) accepted = (await agent.metrics()).sum('otelcol_receiver_accepted_spans');
    agent.program.signal('SIGTERM');
    await agent.program.event('draining');
    stopped = true;
    answer();
    const { sent } = await load;
    expect((await agent.program.ended).code).toBe(0);
    const drained = await agent.program.event('drained');
    expect(drained).toMatchObject({ failed: 0, sendFailed: 0, evicted: 0, queued: 0 });
    expect(drained.accepted).toBeGreaterThanOrEqual(sent);
    expect(hop.delivered()).toBe(drained.accepted);
  });

  it('count at the drain deadline what each of them could not deliver', async () => {
    await using agent = await start({ backend: await hangingHop(), drainDeadline: '200ms' });
    const all = connect(agent.grpcPort, MANY);
    await Promise.all(all.map((client) => client.export('traces', request('traces', ITEMS))));
    expect((await agent.metrics()).all('otlp_agent_worker_items').every((items) => items > 0)).toBe(true);
    agent.program.signal('SIGTERM');
    expect((await agent.program.ended).code).toBe(0);
    expect(await agent.program.event('drained')).toMatchObject({ accepted: MANY * ITEMS, sent: 0, evicted: MANY * ITEMS, queued: 0 });
    const said = agent.program.lines().filter(({ msg }) => msg === 'drain deadline reached');
    expect(said.map(({ worker }) => worker).sort()).toEqual([0, 1]);
  });

  it('hold together what the limit allows while the next hop hangs, and refuse the rest', async () => {
    const limitMib = 600;
    await using agent = await start({ backend: await hangingHop(), limitMib, queueSize: 100_000, blocks: false, drainDeadline: '1ms' });
    const { baselineMib } = await agent.program.event('workers');
    const room = Math.max(limitMib - Number(baselineMib), limitMib / 4) * 2 ** 20;
    const big = request('traces', 1, 'x'.repeat(2 ** 20));
    let refused = 0;
    await Promise.all(
      connect(agent.grpcPort, MANY).map(async (client) => {
        while (refused < MANY) {
          await client.export('traces', big).catch(() => {
            refused += 1;
          });
        }
      }),
    );
    const metrics = await agent.metrics();
    const held = metrics.sum('otlp_agent_held_bytes');
    expect(held).toBeLessThanOrEqual(room);
    expect(held).toBeGreaterThan(room / 8); // a quarter, less what leases are rounded to, where the process is pressed meanwhile
    expect(metrics.all('otlp_agent_worker_items').every((items) => items > 0)).toBe(true);
    expect(
      metrics.sum('otlp_agent_memory_limiter_refused_requests') + metrics.sum('otelcol_processor_memory_limiter_refused_spans'),
    ).toBeGreaterThan(0);
  });
});

describe('the program with workers', () => {
  it('ends with exit code 70 where a worker crashes, and says which', async () => {
    const hop = await sink();
    // Loaded into every thread: what nobody catches, in one of them.
    const preload = join(mkdtempSync(join(tmpdir(), 'otlp-crash-')), 'crash.cjs');
    writeFileSync(
      preload,
      `const { workerData } = require('node:worker_threads');
if (workerData?.index === 1) setInterval(() => { if (require('node:fs').existsSync(__filename + '.now')) throw new Error('a bug'); }, 10);`,
    );
    await using agent = await start({ backend: hop.port }, { NODE_OPTIONS: `--require ${preload}` });
    writeFileSync(`${preload}.now`, '');
    const { code, stderr } = await agent.program.ended;
    expect(code).toBe(70);
    expect(stderr).toContain('worker 1 crashed: a bug');
    expect(agent.program.lines()).toContainEqual(
      expect.objectContaining({ level: 'error', msg: 'a worker crashed, the process ends', worker: 1 }),
    );
  });

  it('ends so, too, where one of them needs more than its share of --max-old-space-size', async () => {
    const preload = join(mkdtempSync(join(tmpdir(), 'otlp-heap-')), 'heap.cjs');
    writeFileSync(
      preload,
      `const { workerData } = require('node:worker_threads');
const all = [];
if (workerData?.index === 1) setInterval(() => { if (require('node:fs').existsSync(__filename + '.now')) for (;;) all.push(new Array(10_000).fill(Math.random())); }, 10);`,
    );
    await using agent = await start({ backend: 9 }, { NODE_OPTIONS: `--require ${preload} --max-old-space-size=300` });
    writeFileSync(`${preload}.now`, '');
    const { code, stderr } = await agent.program.ended;
    expect(code).toBe(70);
    expect(stderr).toContain('worker 1 crashed: Worker terminated due to reaching memory limit');
  });

  it('fails on a port in use as without workers: with the port, the key and its line', async () => {
    await using taken = await takenPort();
    const file = configFile(yaml({ backend: 9, httpPort: taken.port }));
    const { code, stderr } = await runAgent(['--config', file]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}:2: receivers.otlp.protocols.http.endpoint: cannot listen on 127.0.0.1:${taken.port}`);
    expect(stderr).toContain('[OTLP_BIND]');
  });

  it('fails on a port of another agent that also shares it among workers', async () => {
    await using agent = await start({ backend: 9 });
    const { code, stderr } = await runAgent(['--config', configFile(yaml({ backend: 9, httpPort: agent.httpPort }))]);
    expect(code).toBe(1);
    expect(stderr).toContain('the address is in use by another program');
  });

  it('starts no thread with one worker', async () => {
    await using agent = await start({ backend: 9, workers: 1 });
    const metrics = await agent.metrics();
    expect(metrics.all('otlp_agent_worker')).toEqual([]);
    expect(agent.program.lines().some(({ msg }) => msg === 'workers')).toBe(false);
  });
});

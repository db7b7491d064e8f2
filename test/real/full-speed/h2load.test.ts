import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { serviceRequest } from '../../bench/agent/load.mjs';
import { message } from '../../bench/traffic/messages.mjs';
import { newFolder, recordSkip, runProgram, stopAll } from '../support/index.ts';
import { AgentUnderLoad, LONG_MS } from './agent.ts';
import { MOST_RSS_MIB } from './configuration.ts';
import { type Load, SPAN_BYTES } from './driver.ts';
import { Hops } from './hops.ts';
import { LOADS } from './scenes.ts';

const TITLE = 'h2load at full speed';
/** Of one run of h2load; they follow each other. */
const REQUESTS = 5000;
const PATHS = { grpc: '/opentelemetry.proto.collector.trace.v1.TraceService/Export', http: '/v1/traces' };

/** Requests by how they were answered. h2load does not look at trailers: over gRPC what is refused has status 200, too. */
interface Told {
  succeeded: number;
  refused: number;
  unanswered: number;
}

class H2load {
  readonly told: Told = { succeeded: 0, refused: 0, unanswered: 0 };
  readonly #args: readonly string[];
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(agent: AgentUnderLoad, { protocol, spans }: Load) {
    const file = join(newFolder('h2load'), 'request');
    const body = serviceRequest(spans, SPAN_BYTES);
    writeFileSync(file, protocol === 'grpc' ? message(body) : body);
    const ofProtocol =
      protocol === 'grpc'
        ? ['-c4', '-m16', '-H', 'content-type: application/grpc', '-H', 'te: trailers']
        : ['--h1', '-c32', '-H', 'content-type: application/x-protobuf'];
    this.#args = [`-n${REQUESTS}`, `-d${file}`, ...ofProtocol, `http://127.0.0.1:${agent.ports[protocol]}${PATHS[protocol]}`];
    this.#running = this.#run();
  }

  async stop(): Promise<Told> {
    this.#stopped = true;
    await this.#running;
    return this.told;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const { stdout } = await runProgram('h2load', this.#args, { timeoutMs: LONG_MS });
      const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
      const ok = number(/ (\d+) 2xx/u);
      const refused = number(/ (\d+) 5xx/u);
      this.told.succeeded += ok;
      this.told.refused += refused;
      this.told.unanswered += REQUESTS - ok - refused;
    }
  }
}

const version = spawnSync('h2load', ['--version'], { encoding: 'utf8' });
const missing = version.status === 0 ? undefined : 'h2load is not installed (Debian: nghttp2-client)';
if (missing !== undefined) recordSkip(TITLE, [missing]);

describe.skipIf(missing !== undefined)(missing === undefined ? TITLE : `${TITLE} [skipped, as ${missing}]`, () => {
  const open: { end(): Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.end();
  });
  afterAll(stopAll);

  async function begin(load: Load): Promise<{ hops: Hops; agent: AgentUnderLoad; h2load: H2load }> {
    const hops = await Hops.start();
    open.push(hops);
    const agent = await AgentUnderLoad.start({ hops: hops.ports });
    open.push({ end: () => agent.kill() });
    const h2load = new H2load(agent, load);
    open.push({ end: () => h2load.stop() });
    return { hops, agent, h2load };
  }

  it.each(LOADS)('a next hop stops and comes back: what was not refused arrives: $what', async ({ load }) => {
    const { hops, agent, h2load } = await begin(load);
    await hops.until('spans', ({ items }) => items > 100_000);
    await hops.turn({ kind: 'stopped' });
    await agent.until('otlp_agent_receiver_requests', (refused) => refused > 2000, 'code="OTLP_QUEUE_FULL"');
    await hops.turn({ kind: 'take' });
    const { items } = await hops.progress();
    await hops.until('more spans', (now) => now.items > items + 200_000);
    const { succeeded, refused, unanswered } = await h2load.stop();
    await agent.untilNothingIsHeld();
    const ok = await agent.metric('otlp_agent_receiver_requests', 'code="ok"');
    const full = await agent.metric('otlp_agent_receiver_requests', 'code="OTLP_QUEUE_FULL"');
    const memory = await agent.metric('otlp_agent_receiver_requests', 'code="OTLP_MEMORY_LIMIT"');
    expect(unanswered).toBe(0);
    if (load.protocol === 'grpc') expect(ok + full + memory).toBe(succeeded);
    else expect({ ok, refused: full + memory }).toEqual({ ok: succeeded, refused });
    expect(agent.peakRssMib).toBeLessThanOrEqual(MOST_RSS_MIB);
    agent.terminate();
    const books = await agent.end();
    const delivered = await hops.finish();
    expect(delivered.problems).toEqual([]);
    expect(books).toMatchObject({ accepted: ok * load.spans, sent: ok * load.spans, failed: 0, sendFailed: 0, evicted: 0, queued: 0 });
    expect(delivered.items).toBe(books.accepted);
  });

  it.each(LOADS)('SIGTERM: what was accepted arrives: $what', async ({ load }) => {
    const { hops, agent, h2load } = await begin(load);
    await hops.until('spans', ({ items }) => items > 200_000);
    agent.terminate();
    const books = await agent.end();
    const { succeeded } = await h2load.stop();
    const delivered = await hops.finish();
    expect(delivered.problems).toEqual([]);
    expect(books).toMatchObject({ failed: 0, sendFailed: 0, evicted: 0, queued: 0, sent: books.accepted });
    expect(delivered.items).toBe(books.accepted);
    if (load.protocol === 'http') expect(books.accepted).toBe(succeeded * load.spans);
    else expect(books.accepted).toBeLessThanOrEqual(succeeded * load.spans);
  });
});

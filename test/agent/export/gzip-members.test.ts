import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { BatchSettings, ExporterSettings, ProcessorSettings } from '../../../agent/config/settings.ts';
import { finish, post, type Running, startAgent, until } from '../kit/agent.ts';
import { decode, request } from '../kit/otlp.ts';
import { frame, RawGrpc } from '../kit/raw-http2.ts';
import { grpcExporter, httpExporter, PATHS, QUEUE, RETRY } from '../kit/settings.ts';
import { grpcSink, httpSink } from '../kit/sink.ts';

const MEMBERS = { compression: 'gzip', gzipMembers: true } as const;
const COMPRESS = { plain: (body: Buffer) => body, gzip: gzipSync, zstd: zstdCompressSync } as const;
const UPSERT = { action: 'upsert', key: 'added-here', value: 'x' } as const;
const BATCH: BatchSettings = { flushTimeoutMs: 20, minSize: 1_000_000, maxSize: 0, sizer: 'items' };
type As = keyof typeof COMPRESS;

/** Bodies as they are on the wire, and a gate that keeps answers back. */
async function rawHttp(): Promise<{ port: number; bodies: Buffer[]; open: () => void; close: () => Promise<void> }> {
  const bodies: Buffer[] = [];
  const gate = Promise.withResolvers<void>();
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      bodies.push(Buffer.concat(parts));
      expect(incoming.headers['content-encoding']).toBe('gzip');
      void gate.promise.then(() => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    bodies,
    open: gate.resolve,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Span names with their count, of many request bodies. */
function names(bodies: readonly Buffer[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const body of bodies) {
    const { resourceSpans = [] } = decode('traces', body) as { resourceSpans?: { scopeSpans: { spans?: { name: string }[] }[] }[] };
    for (const { scopeSpans } of resourceSpans)
      for (const { spans = [] } of scopeSpans) for (const { name } of spans) found.set(name, (found.get(name) ?? 0) + 1);
  }
  return found;
}

describe('gzip bodies that travel as they came', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function agent(exporters: readonly ExporterSettings[], processors: readonly ProcessorSettings[] = []): Promise<Running> {
    const running = await startAgent({ exporters, processors });
    closers.push(() => finish(running));
    return running;
  }

  async function send(running: Running, over: 'grpc' | 'http', as: As, body: Buffer): Promise<void> {
    if (over === 'http') {
      const headers: Record<string, string> = as === 'plain' ? {} : { 'content-encoding': as };
      expect((await post(running.httpPort, PATHS.traces, COMPRESS[as](body), headers)).status).toBe(200);
      return;
    }
    const client = new RawGrpc(running.grpcPort);
    const { stream, answer } = client.open(as === 'plain' ? {} : { 'grpc-encoding': as });
    stream.end(frame(COMPRESS[as](body), as === 'plain' ? 0 : 1));
    expect((await answer).grpcStatus).toBe('0');
    client.session.close();
  }

  it('are one body of many members, byte for byte what came, whichever way they came', async () => {
    const sink = await rawHttp();
    closers.push(sink.close);
    sink.open();
    const running = await agent([
      httpExporter(sink.port, { ...MEMBERS, queue: { ...QUEUE, batch: { ...BATCH, minSize: 905, flushTimeoutMs: 60_000 } } }),
    ]);
    const [one, other] = [request('traces', 5, 'one'), request('traces', 900, 'other')];
    await send(running, 'grpc', 'gzip', one);
    await send(running, 'http', 'gzip', other);
    await until(() => sink.bodies.length === 1);
    expect(sink.bodies[0]?.equals(Buffer.concat([gzipSync(one), gzipSync(other)]))).toBe(true);
  });

  it('are held and charged as what they are, while queues count what they become', async () => {
    const sink = await rawHttp();
    closers.push(sink.close);
    const running = await agent([httpExporter(sink.port, { ...MEMBERS, queue: { ...QUEUE, sizer: 'bytes', capacity: 10_000_000 } })]);
    const body = request('traces', 9000, 'large');
    const compressed = gzipSync(body);
    expect(compressed.length).toBeGreaterThan(16 * 1024);
    await send(running, 'grpc', 'gzip', body);
    await until(() => sink.bodies.length === 1);
    // What HTTP sends is one buffer of its own beside what is queued.
    expect(running.agent.heldBytes).toBeGreaterThanOrEqual(compressed.length);
    expect(running.agent.heldBytes).toBeLessThanOrEqual(2 * compressed.length);
    expect(running.agent.books().total.queued).toBe(9000);
    sink.open();
  });

  it('are counted by queues of bytes as they become: one that does not fit is refused', async () => {
    const sink = await rawHttp();
    closers.push(sink.close);
    sink.open();
    const body = request('traces', 3000, 'large');
    const running = await agent([httpExporter(sink.port, { ...MEMBERS, queue: { ...QUEUE, sizer: 'bytes', capacity: body.length - 1 } })]);
    const answer = await post(running.httpPort, PATHS.traces, gzipSync(body), { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(503);
  });

  it('arrive with everything else exactly once, whatever came how, merged and split', async () => {
    const runs = fc.record({
      transport: fc.constantFrom('grpc', 'http'),
      requests: fc.array(
        fc.record({ as: fc.constantFrom<As>('plain', 'gzip', 'zstd'), over: fc.constantFrom('grpc', 'http'), spans: fc.nat(300) }),
        { minLength: 1, maxLength: 12 },
      ),
      minSize: fc.integer({ min: 1, max: 800 }),
      maxSize: fc.constantFrom(0, 100, 800),
      sizer: fc.constantFrom('items', 'bytes'),
      enabled: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ transport, requests, minSize, maxSize, sizer, enabled }) => {
        const sink = transport === 'grpc' ? await grpcSink() : await httpSink();
        const unit = sizer === 'bytes' ? 60 : 1;
        const batch: BatchSettings = {
          flushTimeoutMs: 5,
          minSize: (maxSize === 0 ? minSize : Math.min(minSize, maxSize)) * unit,
          maxSize: maxSize * unit,
          sizer,
        };
        const more = { ...MEMBERS, queue: { ...QUEUE, enabled, waitForResult: !enabled, batch } };
        const running = await startAgent({
          exporters: [transport === 'grpc' ? grpcExporter(sink.port, more) : httpExporter(sink.port, more)],
        });
        const bodies = requests.map(({ spans }, i) => request('traces', spans, `r${i}`));
        await Promise.all(requests.map(({ as, over }, i) => send(running, over, as, bodies[i] as Buffer)));
        const { total } = await finish(running);
        expect(names(sink.received.map((one) => one.body))).toEqual(names(bodies));
        const items = requests.reduce((sum, one) => sum + one.spans, 0);
        expect(total).toMatchObject({ sent: items, sendFailed: 0, evicted: 0, queued: 0 });
        if (maxSize > 0 && sizer === 'items') for (const one of sink.received) expect(one.items).toBeLessThanOrEqual(maxSize);
        await sink.close();
      }),
      { numRuns: 60 },
    );
  });

  it('are inflated where another exporter of the fan-out or a processor wants to read them', async () => {
    const [sink, reader] = [await rawHttp(), await grpcSink()];
    closers.push(sink.close, () => reader.close());
    sink.open();
    const body = request('traces', 10, 'one');
    const both = await agent([httpExporter(sink.port, MEMBERS), grpcExporter(reader.port, { id: 'otlp_grpc/2' })]);
    await send(both, 'grpc', 'gzip', body);
    await until(() => sink.bodies.length === 1 && reader.received.length === 1);
    expect(gunzipSync(sink.bodies[0] as Buffer).equals(body)).toBe(true);
    expect(reader.received[0]?.body.equals(body)).toBe(true);
    const rewriting = await agent([httpExporter(sink.port, MEMBERS)], [{ kind: 'resource', id: 'resource', actions: [UPSERT] }]);
    await send(rewriting, 'grpc', 'gzip', body);
    await until(() => sink.bodies.length === 2);
    expect(gunzipSync(sink.bodies[1] as Buffer).includes('added-here')).toBe(true);
  });

  it('are sent again as they are when the next hop was away, and poison among them fails alone', async () => {
    let answers = 0;
    const sink = await grpcSink((one) => {
      answers += 1;
      if (answers === 1) return { code: 14 };
      return names([one.body]).has('bad-0/0') ? { code: 3, message: 'poison' } : undefined;
    });
    closers.push(() => sink.close());
    const running = await startAgent({
      exporters: [grpcExporter(sink.port, { ...MEMBERS, retry: RETRY, queue: { ...QUEUE, batch: BATCH } })],
    });
    for (const name of ['a', 'b', 'bad', 'c']) await send(running, 'grpc', 'gzip', request('traces', 3, name));
    const { total } = await finish(running);
    expect(total).toMatchObject({ sent: 9, sendFailed: 3, evicted: 0 });
    expect(sink.delivered()).toBe(9);
  });

  it('fails on gzip that is broken, padded or no OTLP, and tells its sender', async () => {
    const sink = await grpcSink();
    closers.push(() => sink.close());
    const running = await agent([grpcExporter(sink.port, MEMBERS)]);
    const sound = gzipSync(request('traces', 3));
    const cut = sound.subarray(0, sound.length - 3);
    const flipped = Buffer.from(sound);
    flipped[sound.length - 6] = (flipped[sound.length - 6] as number) ^ 1;
    for (const bad of [cut, flipped, Buffer.concat([sound, Buffer.alloc(3)]), gzipSync('no OTLP at all'), Buffer.alloc(0)]) {
      const answer = await post(running.httpPort, PATHS.traces, bad, { 'content-encoding': 'gzip' });
      expect(answer.status).toBe(400);
    }
    expect(sink.received).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { REQUEST_BYTES } from '../../../agent/admit/budget.ts';
import { type AuditRecord, create, imbalances, type Outcome } from '../../../agent/index.ts';
import { type LogLine, recordingLog } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import type { GrpcAnswer } from '../kit/sink.ts';
import { agentTo, end, keep, sinkOf } from './support/embedded.ts';

describe('offer', () => {
  it('fails with code, retryable and time, and leaves the request with the caller', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const sink = await sinkOf(() => gate);
    const body = request('traces', 4);
    const agent = await agentTo(sink, { queue: { sizer: 'bytes', queue_size: body.length * 2 } });
    const never = (): void => expect.unreachable('a refused request was answered');
    expect([agent.offer('traces', body), agent.offer('traces', body)]).toEqual(['taken', 'taken']);
    expect(agent.offer('traces', body, { onOutcome: never })).toEqual({
      code: 'OTLP_QUEUE_FULL',
      message: 'the sending queue is full (OTLP_QUEUE_FULL)',
      retryable: true,
      retryAfterMs: 1000,
    });
    expect(agent.stats()).toMatchObject({ heldBytes: 2 * (REQUEST_BYTES + body.length), books: { total: { queued: 8 } } });
    expect(agent.stats().queues.find(({ signal }) => signal === 'traces')).toEqual({
      exporter: 'otlp_grpc',
      signal: 'traces',
      size: body.length * 2,
      capacity: body.length * 2,
      inFlight: 2,
    });
    release(undefined);
    await agent.flush();
    expect(agent.offer('traces', body)).toBe('taken');
    expect((await end(agent)).books.total).toMatchObject({ sent: 12 });
    expect(agent.offer('traces', body)).toMatchObject({ code: 'OTLP_DRAINING', retryable: true });
  });

  it('fails on what is no request at all without throwing', async () => {
    const agent = await agentTo(await sinkOf());
    for (const [signal, bytes] of [
      ['traces', Buffer.from('no protobuf')],
      ['traces', 'text'],
      ['traces', new DataView(new ArrayBuffer(8))],
      ['traces', new Uint16Array(4)],
      ['traces', undefined],
      ['spans', request('traces', 1)],
      ['constructor', request('traces', 1)],
      [undefined, null],
    ] as [never, never][]) {
      expect(agent.offer(signal, bytes)).toMatchObject({ code: expect.stringMatching(/^OTLP_(MALFORMED|NO_PIPELINE)$/), retryable: false });
      expect(await agent.sendRaw(signal, bytes)).toMatchObject({ kind: 'reject' });
    }
    await end(agent);
  });

  it('stays below agent.memory_limit_mib, also where the queue would take more', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const agent = await agentTo(await sinkOf(() => gate), { queue: { queue_size: 1e6 }, agent: { memory_limit_mib: 1 } });
    const body = request('logs', 4000);
    let verdict = agent.offer('logs', body);
    for (let taken = 0; verdict === 'taken' && taken < 1000; taken += 1) verdict = agent.offer('logs', body);
    expect(verdict).toMatchObject({ code: 'OTLP_MEMORY_LIMIT', retryable: true });
    expect(agent.stats().heldBytes).toBeLessThanOrEqual(1024 * 1024);
    expect(agent.ready).toBe(true);
    release(undefined);
    await end(agent);
  });
});

describe('sendRaw', () => {
  it('resolves with the delivery, also where the exporter merges requests and answers when it has stored', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const sink = await sinkOf(() => gate);
    const agent = await agentTo(sink, { queue: { batch: { flush_timeout: '20ms', min_size: 1000 } } });
    const outcomes: Outcome[] = [];
    const sent = [1, 2, 3].map((items) => agent.sendRaw('traces', request('traces', items)).then((outcome) => outcomes.push(outcome)));
    const [offered] = [Promise.withResolvers<Outcome>()];
    agent.offer('traces', request('traces', 4), { onOutcome: offered.resolve });
    while (sink.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect([outcomes, agent.stats().books.total.accepted]).toEqual([[], 0]);
    release(undefined);
    await Promise.all(sent);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['ok', 'ok', 'ok']);
    expect(await offered.promise).toMatchObject({ kind: 'ok' });
    expect(sink.received.map(({ items }) => items)).toEqual([10]);
    await end(agent);
  });

  it('fails as the backend does: rejected for good, retries at their end, partly', async () => {
    // Field 1 (partial_success): rejected_spans 2, error_message "no"
    const partial = Buffer.from([0x0a, 0x06, 0x08, 0x02, 0x12, 0x02, 0x6e, 0x6f]);
    const answers: GrpcAnswer[] = [{ code: 3, message: 'bad' }, { code: 14 }, { response: partial }];
    const sink = await sinkOf(() => answers[0]);
    const agent = await agentTo(sink, { retry: { enabled: false } });
    expect(await agent.sendRaw('traces', request('traces', 3))).toMatchObject({
      kind: 'reject',
      code: 3,
      message: 'INVALID_ARGUMENT: bad',
    });
    answers.shift();
    expect(await agent.sendRaw('traces', request('traces', 3))).toMatchObject({ kind: 'retry', code: 14 });
    answers.shift();
    expect(await agent.sendRaw('traces', request('traces', 3))).toMatchObject({ kind: 'ok', rejected: 2, message: 'no' });
    expect((await end(agent)).books.total).toMatchObject({ received: 9, accepted: 1, refused: 8, sent: 1, sendFailed: 8 });
  });

  it('resolves when drop_oldest throws it out, and when the instance closes', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const sink = await sinkOf(() => gate);
    const queue = { sizer: 'requests', queue_size: 2, num_consumers: 1, on_overflow: 'drop_oldest' } as const;
    const agent = await agentTo(sink, { queue });
    const outcomes = ['a', 'b', 'c', 'd'].map((name) => agent.sendRaw('traces', request('traces', 1, name)));
    expect(await outcomes[1]).toMatchObject({ kind: 'retry', message: 'the request left the queue undelivered' });
    await agent.close();
    expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(['retry', 'retry', 'retry', 'retry']);
    release(undefined);
    expect(imbalances(agent.stats().books)).toEqual([]);
    expect(agent.stats()).toMatchObject({ heldBytes: 0, books: { total: { evicted: 4, queued: 0 } } });
  });
});

describe('with other ends of a pipeline', () => {
  it('sendRaw waits for every upstream of a load balancer, flush for its batches, and a call reaches what a connector begins', async () => {
    const { promise: gate, resolve: release } = Promise.withResolvers<undefined>();
    const [one, other, all] = [await sinkOf(() => gate), await sinkOf(), await sinkOf()];
    const batch = { flush_timeout: '1h', min_size: 1000, sizer: 'items' } as const;
    const agent = keep(
      await create({
        connectors: { forward: {} },
        exporters: {
          loadbalancing: {
            routing_key: 'service',
            protocol: { otlp: { tls: { insecure: true }, sending_queue: { batch } } },
            resolver: { static: { hostnames: [`127.0.0.1:${one.port}`, `127.0.0.1:${other.port}`] } },
          },
          otlp_grpc: { endpoint: `127.0.0.1:${all.port}`, tls: { insecure: true } },
        },
        service: {
          pipelines: {
            traces: { exporters: ['loadbalancing', 'forward'] },
            'traces/all': { receivers: ['forward'], exporters: ['otlp_grpc'] },
          },
        },
      }),
    );
    // 40 services, so that both upstreams get some.
    let ended = false;
    const sent = agent.sendRaw('traces', request('traces', 1, 'service', 40)).then((outcome) => {
      ended = true;
      return outcome;
    });
    while (all.delivered() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect([one.received.length, other.received.length]).toEqual([0, 0]);
    const flushed = agent.flush();
    while (one.received.length === 0 || other.delivered() === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(ended).toBe(false);
    release(undefined);
    expect(await sent).toMatchObject({ kind: 'ok' });
    await flushed;
    expect([one.delivered() + other.delivered(), all.delivered()]).toEqual([40, 40]);
    await end(agent);
  });
});

describe('flush', () => {
  it('waits for no batch to fill, once: what comes later does', async () => {
    const sink = await sinkOf();
    const agent = await agentTo(sink, { queue: { batch: { flush_timeout: '1h', min_size: 1000 } } });
    agent.offer('traces', request('traces', 2));
    agent.offer('logs', request('logs', 3));
    await agent.flush();
    expect(sink.delivered()).toBe(5);
    agent.offer('traces', request('traces', 1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sink.delivered()).toBe(5);
    expect((await end(agent)).books.total.sent).toBe(6);
  });
});

describe('drain and close', () => {
  it('drain gives up at its deadline and says what was lost; close without it loses at once; both may be called twice', async () => {
    for (const drains of [true, false]) {
      const agent = await agentTo(await sinkOf(() => ({ code: 14 })));
      const outcome = agent.sendRaw('traces', request('traces', 2));
      const books = drains ? await agent.drain(50) : undefined;
      if (drains) expect(books?.total).toMatchObject({ evicted: 2, queued: 0 });
      await Promise.all([agent.close(), agent.close()]);
      expect(await outcome).toMatchObject({ kind: 'retry' });
      expect(await agent.drain()).toMatchObject({ total: { evicted: 2 } });
      expect(agent.ready).toBe(false);
    }
  });

  it('close cuts a drain short', async () => {
    const agent = await agentTo(await sinkOf(() => ({ code: 14 })));
    agent.offer('traces', request('traces', 2));
    const draining = agent.drain(3_600_000);
    await agent.close();
    expect((await draining).total).toMatchObject({ evicted: 2 });
  });

  it('`await using` drains and closes', async () => {
    const sink = await sinkOf();
    {
      await using agent = await agentTo(sink);
      agent.offer('metrics', request('metrics', 7));
    }
    expect(sink.delivered()).toBe(7);
  });
});

describe('the audit', () => {
  it('has one record for each request, with nothing of its content', async () => {
    const records: AuditRecord[] = [];
    const partial = Buffer.from([0x0a, 0x06, 0x08, 0x02, 0x12, 0x02, 0x6e, 0x6f]);
    const answers: (GrpcAnswer | undefined)[] = [
      undefined,
      { response: partial },
      { code: 3, message: 'secret-in-a-message' },
      { code: 14 },
    ];
    const sink = await sinkOf(() => answers.shift());
    const agent = await agentTo(sink, { retry: { enabled: false } }, { who: 'shop', audit: (record) => records.push(record) });
    for (let i = 0; i < 4; i += 1) await agent.sendRaw('traces', request('traces', 3, 'secret'), { who: `user-${i}` });
    agent.offer('logs', Buffer.from('secret'));
    agent.offer('profiles', request('profiles', 5, 'secret'));
    const bytes = request('traces', 3, 'secret').length;
    expect(records.map(({ at, tookMs, ...rest }) => [rest, typeof at, tookMs >= 0])).toEqual(
      [
        { who: 'user-0', signal: 'traces', items: 3, bytes, outcome: 'delivered', rejected: 0, code: 'OK' },
        { who: 'user-1', signal: 'traces', items: 3, bytes, outcome: 'delivered', rejected: 2, code: 'OK' },
        { who: 'user-2', signal: 'traces', items: 3, bytes, outcome: 'rejected', rejected: 0, code: 'INVALID_ARGUMENT' },
        { who: 'user-3', signal: 'traces', items: 3, bytes, outcome: 'lost', rejected: 0, code: 'UNAVAILABLE' },
        { who: 'shop', signal: 'logs', items: 0, bytes: 6, outcome: 'refused', rejected: 0, code: 'OTLP_MALFORMED' },
        {
          who: 'shop',
          signal: 'profiles',
          items: 5,
          bytes: request('profiles', 5, 'secret').length,
          outcome: 'refused',
          rejected: 0,
          code: 'OTLP_NO_PIPELINE',
        },
      ].map((record) => [record, 'number', true]),
    );
    expect(JSON.stringify(records)).not.toContain('secret');
    await end(agent);
  });

  it('that throws, or an onOutcome that throws, is counted and stops nothing', async () => {
    const lines: LogLine[] = [];
    const sink = await sinkOf();
    const boom = (): never => {
      throw new Error('boom');
    };
    const agent = await agentTo(sink, {}, { audit: boom, log: recordingLog(lines) });
    agent.offer('traces', request('traces', 1), { onOutcome: boom });
    expect(await agent.sendRaw('traces', request('traces', 1))).toMatchObject({ kind: 'ok' });
    expect(await end(agent)).toMatchObject({ hookErrors: 3, books: { total: { sent: 2 } } });
    expect(lines.filter(({ event }) => event === 'a hook of the program threw')).toHaveLength(3);
  });
});

describe('two instances side by side', () => {
  it('share nothing: the queue, the books and the end of one are its own', async () => {
    const [good, bad] = [await sinkOf(), await sinkOf(() => ({ code: 14 }))];
    const [one, other] = [await agentTo(good), await agentTo(bad)];
    for (const agent of [one, other]) for (let i = 0; i < 10; i += 1) expect(agent.offer('traces', request('traces', 1))).toBe('taken');
    await one.flush();
    expect(one.stats().books.total).toMatchObject({ sent: 10, queued: 0 });
    expect(other.stats().books.total).toMatchObject({ sent: 0, queued: 10 });
    await other.close();
    expect(await one.sendRaw('traces', request('traces', 1))).toMatchObject({ kind: 'ok' });
    await end(one);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import type { QueueSettings } from '../../../agent/config/settings.ts';
import { grpcOutcome } from '../../../agent/export/grpc-outcome.ts';
import { retryAfterMs } from '../../../agent/export/http-outcome.ts';
import { encodeResponse, encodeStatus } from '../../../agent/otlp/status.ts';
import { finish, GrpcClient, post, type Running, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { ownPort } from '../kit/ports.ts';
import { grpcExporter, httpExporter, PATHS, QUEUE, RETRY } from '../kit/settings.ts';
import { grpcSink, httpSink, type Sink } from '../kit/sink.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
const keep = <T extends { close(): unknown }>(one: T): T => {
  open.push(one);
  return one;
};

async function send(running: Running, items: number, name?: string): Promise<void> {
  expect((await post(running.httpPort, PATHS.traces, request('traces', items, name))).status).toBe(200);
}

const RETRYABLE = [1, 4, 10, 11, 14, 15];

describe('gRPC statuses of the next hop', () => {
  for (let code = 1; code <= 16; code += 1) {
    it(`${code} is ${RETRYABLE.includes(code) ? 'sent again' : 'dropped and counted'}`, async () => {
      const sink: Sink = keep(await grpcSink(() => (sink.received.length === 1 ? { code } : undefined)));
      const running = await startAgent({ exporters: [grpcExporter(sink.port)] });
      await send(running, 3);
      const books = await finish(running);
      const again = RETRYABLE.includes(code);
      expect(sink.received).toHaveLength(again ? 2 : 1);
      expect(books.total).toMatchObject(again ? { sent: 3, sendFailed: 0 } : { sent: 0, sendFailed: 3 });
    });
  }

  it('RESOURCE_EXHAUSTED is sent again where it carries RetryInfo', async () => {
    const sink: Sink = keep(
      await grpcSink(() => (sink.received.length === 1 ? { code: 8, details: encodeStatus(8, 'slow down', 30) } : undefined)),
    );
    const running = await startAgent({ exporters: [grpcExporter(sink.port)] });
    await send(running, 2);
    expect((await finish(running)).total).toMatchObject({ sent: 2, sendFailed: 0 });
  });

  it('RetryInfo and its absence become the wait', () => {
    expect(grpcOutcome(14, 'm', encodeStatus(14, 'm', 1500).toString('base64'))).toMatchObject({ kind: 'retry', afterMs: 1500 });
    expect(grpcOutcome(14, 'm', undefined)).toMatchObject({ kind: 'retry', afterMs: undefined });
    expect(grpcOutcome(14, 'm', '%%%not base64')).toMatchObject({ kind: 'retry', afterMs: undefined });
  });

  it('what partial_success rejects is counted and never sent again', async () => {
    const sink = keep(await grpcSink(() => ({ response: encodeResponse('traces', 2, 'two are bad') })));
    const running = await startAgent({ exporters: [grpcExporter(sink.port)] });
    await send(running, 5);
    expect((await finish(running)).total).toMatchObject({ accepted: 5, sent: 3, sendFailed: 2 });
    expect(sink.received).toHaveLength(1);
  });
});

describe('HTTP statuses of the next hop', () => {
  it.each([429, 502, 503, 504])('%i is sent again', async (status) => {
    const sink: Sink = keep(
      await httpSink((_one, _request, response) => {
        if (sink.received.length > 1) return false;
        response.writeHead(status).end();
        return true;
      }),
    );
    const running = await startAgent({ exporters: [httpExporter(sink.port)] });
    await send(running, 3);
    expect((await finish(running)).total).toMatchObject({ sent: 3, sendFailed: 0 });
    expect(sink.received).toHaveLength(2);
  });

  it.each([400, 401, 403, 404, 408, 413, 500, 501, 301])('%i is dropped and counted', async (status) => {
    const sink = keep(
      await httpSink((_one, _request, response) => {
        response.writeHead(status, { location: '/elsewhere' }).end();
        return true;
      }),
    );
    const running = await startAgent({ exporters: [httpExporter(sink.port)] });
    await send(running, 3);
    expect((await finish(running)).total).toMatchObject({ sent: 0, sendFailed: 3 });
    expect(sink.received).toHaveLength(1);
  });

  it('a connection that breaks before the answer is sent again', async () => {
    const sink: Sink = keep(
      await httpSink((_one, incoming) => {
        if (sink.received.length > 1) return false;
        incoming.socket.destroy();
        return true;
      }),
    );
    const running = await startAgent({ exporters: [httpExporter(sink.port)] });
    await send(running, 3);
    expect((await finish(running)).total).toMatchObject({ sent: 3 });
  });

  it('partial_success in a 200 is counted and never sent again', async () => {
    const sink = keep(
      await httpSink((_one, _request, response) => {
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(encodeResponse('traces', 1, 'no'));
        return true;
      }),
    );
    const running = await startAgent({ exporters: [httpExporter(sink.port)] });
    await send(running, 4);
    expect((await finish(running)).total).toMatchObject({ sent: 3, sendFailed: 1 });
    expect(sink.received).toHaveLength(1);
  });

  it('a response of more than 4 MiB ends the attempt and is not sent again', async () => {
    const sink = keep(
      await httpSink((_one, _request, response) => {
        response.writeHead(200).end(Buffer.alloc(5 * 1024 * 1024));
        return true;
      }),
    );
    const running = await startAgent({ exporters: [httpExporter(sink.port)] });
    await send(running, 4);
    expect((await finish(running)).total).toMatchObject({ sent: 0, sendFailed: 4 });
    expect(sink.received).toHaveLength(1);
  });

  it('Retry-After is seconds or a date', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(retryAfterMs('7', now)).toBe(7000);
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:05 GMT', now)).toBe(5000);
    expect(retryAfterMs('Thu, 01 Jan 2025 00:00:05 GMT', now)).toBe(0);
    expect(retryAfterMs('soon', now)).toBeUndefined();
    expect(retryAfterMs(undefined, now)).toBeUndefined();
  });
});

describe('retrying', () => {
  it('gives up after max_elapsed_time and counts', async () => {
    const sink = keep(await grpcSink(() => ({ code: 14 })));
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { retry: { ...RETRY, maxElapsedMs: 60 } })] });
    await send(running, 3);
    await until(() => running.agent.books().total.sendFailed === 3);
    expect(sink.received.length).toBeGreaterThan(0);
    await finish(running);
  });

  it('retry_on_failure off: one attempt', async () => {
    const sink = keep(await grpcSink(() => ({ code: 14 })));
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { retry: { ...RETRY, enabled: false } })] });
    await send(running, 3);
    expect((await finish(running)).total).toMatchObject({ sendFailed: 3 });
    expect(sink.received).toHaveLength(1);
    expect(running.lines.find((line) => line.event === 'data was given up')).toMatchObject({
      level: 'error',
      fields: { items: 3, exporter: 'otlp_grpc', signal: 'traces' },
    });
  });

  it('a backend that is down and comes back gets everything once', async () => {
    const port = await ownPort();
    const running = await startAgent({ exporters: [grpcExporter(port)] });
    for (let i = 0; i < 5; i += 1) await send(running, 2, `r${i}`);
    const second = keep(await grpcSink(undefined, port));
    expect((await finish(running)).total).toMatchObject({ sent: 10, sendFailed: 0, queued: 0 });
    expect(second.delivered()).toBe(10);
    // One line when it began and one when it ended, whatever the number of requests.
    const said = running.lines.filter((line) => line.event.startsWith('sending'));
    expect(said.map((line) => [line.level, line.event])).toEqual([
      ['warn', 'sending fails and is tried again'],
      ['info', 'sending works again'],
    ]);
    expect(said[0]?.fields.reason).toContain('ECONNREFUSED');
  });

  it('a backend that stops between requests: the next connection is used, nothing is lost', async () => {
    const port = await ownPort();
    const first = await grpcSink(undefined, port);
    const running = await startAgent({ exporters: [grpcExporter(port)] });
    await send(running, 1);
    await until(() => running.agent.books().total.sent === 1);
    await first.close();
    const second = keep(await grpcSink(undefined, port));
    await send(running, 1);
    expect((await finish(running)).total).toMatchObject({ sent: 2 });
    expect(second.delivered()).toBe(1);
  });

  it('no answer within the timeout is tried again', async () => {
    const sink: Sink = keep(await grpcSink(() => (sink.received.length === 1 ? new Promise(() => {}) : undefined)));
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { timeoutMs: 500 })] });
    await send(running, 3);
    expect((await finish(running)).total).toMatchObject({ sent: 3, sendFailed: 0 });
    // Once more, and again where a machine that stood still for half a second was late with the answer.
    expect(sink.received.length).toBeGreaterThanOrEqual(2);
    for (const { body } of sink.received) expect(body.equals(sink.received[0]?.body as Buffer)).toBe(true);
    expect(sink.received[0]?.headers['user-agent']).toMatch(/^otlp-stack-agent\//);
  });
});

const batched = (more: Partial<QueueSettings> = {}): QueueSettings => ({
  ...QUEUE,
  batch: { flushTimeoutMs: 60_000, minSize: 10, maxSize: 0, sizer: 'items' },
  ...more,
});

describe('batches', () => {
  it('merges until min_size by concatenation', async () => {
    const sink = keep(await grpcSink());
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: batched() })] });
    const bodies = [4, 3, 3].map((items, i) => request('traces', items, `r${i}`));
    for (const body of bodies) await post(running.httpPort, PATHS.traces, body);
    await until(() => sink.received.length === 1);
    expect(sink.received[0]?.body).toEqual(Buffer.concat(bodies));
    await finish(running);
  });

  it('flushes what is old enough, and all of it on drain', async () => {
    const sink = keep(await grpcSink());
    const batch = { flushTimeoutMs: 10, minSize: 1000, maxSize: 0, sizer: 'items' as const };
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, batch } })] });
    await send(running, 4);
    await until(() => sink.received.length === 1);
    await finish(running);

    const slow = await startAgent({
      exporters: [grpcExporter(sink.port, { queue: batched({ batch: { ...batch, flushTimeoutMs: 600_000 } }) })],
    });
    await send(slow, 4);
    await send(slow, 4);
    expect(sink.received).toHaveLength(1);
    expect((await finish(slow)).total).toMatchObject({ sent: 8 });
    expect(sink.received.map((one) => one.items)).toEqual([4, 8]);
  });

  it('never exceeds max_size: it stops before, and cuts larger requests between resources', async () => {
    const sink = keep(await grpcSink());
    const batch = { flushTimeoutMs: 60_000, minSize: 8, maxSize: 10, sizer: 'items' as const };
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, batch } })] });
    await send(running, 6, 'a');
    await send(running, 6, 'b');
    await post(running.httpPort, PATHS.traces, request('traces', 7, 'c', 3));
    const books = await finish(running);
    expect(books.total).toMatchObject({ accepted: 33, sent: 33 });
    for (const one of sink.received) expect(one.items).toBeLessThanOrEqual(10);
    expect(sink.delivered()).toBe(33);
  });

  it('never merges profiles: each request has a dictionary of its own', async () => {
    const sink = keep(await grpcSink());
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: batched() })] });
    for (let i = 0; i < 3; i += 1) await post(running.httpPort, PATHS.profiles, request('profiles', 2, `p${i}`));
    await until(() => sink.received.length === 3);
    await finish(running);
  });

  it('poison: one request that the next hop refuses for good fails alone, the others of its batch arrive', async () => {
    const sink = keep(await grpcSink((one) => (one.body.includes('poison') ? { code: 3, message: 'bad' } : undefined)));
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: batched() })] });
    for (const name of ['a', 'poison', 'c', 'd', 'e']) await send(running, 2, name);
    const books = await finish(running);
    expect(books.total).toMatchObject({ sent: 8, sendFailed: 2 });
    expect(sink.delivered()).toBe(8);
    // The five, then halves: two of which one is poison and so each alone, and the three others together.
    expect(sink.received.map((one) => one.items)).toEqual([10, 4, 2, 2, 6]);
  });
});

describe('gRPC clients of the agent', () => {
  it('wait_for_result: the answer comes with the delivery, and a refusal of the next hop reaches the sender', async () => {
    let answer: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const sink = keep(
      await grpcSink(async (one) => {
        await held;
        return one.body.includes('poison') ? { code: 3, message: 'it is bad' } : undefined;
      }),
    );
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, waitForResult: true } })] });
    const client = keep(new GrpcClient(running.grpcPort));
    let answered = 0;
    const good = client.export('traces', request('traces', 2, 'good')).then(() => {
      answered += 1;
    });
    const bad = client.export('traces', request('traces', 3, 'poison')).catch((error: { code: number; details: string }) => error);
    await until(() => sink.received.length === 2);
    expect(answered).toBe(0);
    expect(running.agent.books().receivers.find((one) => one.transport === 'grpc' && one.signal === 'traces')).toMatchObject({
      pending: 5,
      accepted: 0,
    });
    answer?.();
    await good;
    expect(await bad).toMatchObject({ code: 3, details: expect.stringContaining('it is bad') });
    expect((await finish(running)).total).toMatchObject({ received: 5, accepted: 2, refused: 3, sent: 2, sendFailed: 3 });
  });

  it('wait_for_result passes partial_success on', async () => {
    const sink = keep(await grpcSink(() => ({ response: encodeResponse('traces', 1, 'one is bad') })));
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, waitForResult: true } })] });
    const client = keep(new GrpcClient(running.grpcPort));
    expect(await client.export('traces', request('traces', 4))).toEqual(encodeResponse('traces', 1, 'one is bad'));
    expect((await finish(running)).total).toMatchObject({ accepted: 3, refused: 1, sent: 3, sendFailed: 1 });
  });

  it('a client whose deadline passes while it waits is told so, and its data is still delivered once', async () => {
    let answer: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const sink = keep(await grpcSink(() => held.then(() => undefined)));
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, waitForResult: true } })] });
    const client = keep(new GrpcClient(running.grpcPort));
    await expect(client.export('traces', request('traces', 2), { deadline: Date.now() + 1000 })).rejects.toMatchObject({ code: 4 });
    answer?.();
    await finish(running);
    expect(sink.delivered()).toBe(2);
  });
});

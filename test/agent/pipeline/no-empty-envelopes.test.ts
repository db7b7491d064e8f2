import { describe, expect, it } from 'vitest';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { decode, encode, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS, QUEUE } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

/** OTLP 1.11, "Empty Telemetry Envelopes": senders should not create them, forwarders may drop them. */
describe('no empty envelopes', () => {
  it('answers a request without items with success and sends nothing on', async () => {
    const sink = await grpcSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port)] });
    for (const body of [Buffer.alloc(0), encode('traces', { resourceSpans: [{ scopeSpans: [{ scope: { name: 'a' } }] }] })])
      expect((await post(running.httpPort, PATHS.traces, body)).status).toBe(200);
    expect((await post(running.httpPort, PATHS.traces, request('traces', 1))).status).toBe(200);
    await until(() => sink.received.length > 0);
    await finish(running);
    expect(sink.received.map((one) => one.items)).toEqual([1]);
    await sink.close();
  });

  it('leaves those that it was sent away where it cuts a request', async () => {
    const sink = await grpcSink();
    const batch = { flushTimeoutMs: 10, minSize: 0, maxSize: 2, sizer: 'items' } as const;
    const running = await startAgent({ exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, batch } })] });
    const spans = [{ name: 'a' }, { name: 'b' }];
    const body = encode('traces', {
      resourceSpans: [{}, { scopeSpans: [{ scope: { name: 'empty' } }, { spans }] }, { scopeSpans: [{}] }, { scopeSpans: [{ spans }] }],
    });
    expect((await post(running.httpPort, PATHS.traces, body)).status).toBe(200);
    await until(() => sink.delivered() === 4);
    await finish(running);
    for (const one of sink.received)
      expect(decode('traces', one.body)).toEqual({ resourceSpans: [{ scopeSpans: [{ spans: expect.any(Array) as [] }] }] });
    await sink.close();
  });
});

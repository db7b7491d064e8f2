import { describe, expect, it } from 'vitest';
import type { ResourceSettings } from '../../../agent/process/resource-config.ts';
import { finish, post, startAgent, until } from '../kit/agent.ts';
import { decode, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

const resource = (key: string, value: string): ResourceSettings => ({
  kind: 'resource',
  id: `resource/${key}`,
  actions: [{ action: 'upsert', key, value }],
});

describe('the resource processor in a pipeline', () => {
  it('sets attributes, two processors in a row too, counts items in and out, and holds the memory it adds', async () => {
    const sink = await grpcSink();
    const running = await startAgent({
      exporters: [grpcExporter(sink.port)],
      processors: [resource('service.instance.id', 'pod-1'), resource('k8s.pod.name', 'pod-1')],
    });
    expect((await post(running.httpPort, PATHS.traces, request('traces', 4, 'x', 2))).status).toBe(200);
    await until(() => sink.received.length === 1);
    const sent = decode('traces', (sink.received[0] as { body: Buffer }).body) as {
      resourceSpans: { resource: { attributes: { key: string }[] } }[];
    };
    expect(sent.resourceSpans.map((one) => one.resource.attributes.map((a) => a.key))).toEqual([
      ['service.name', 'service.instance.id', 'k8s.pod.name'],
      ['service.name', 'service.instance.id', 'k8s.pod.name'],
    ]);
    expect(await running.agent.metrics()).toMatch(/otelcol_processor_outgoing_items\{.*processor="resource\/k8s.pod.name".*\} 8/);
    await finish(running);
    expect(running.agent.heldBytes).toBe(0);
    await sink.close();
  });

  it('fails a request whose resource is malformed with 400; the request before and after it arrive', async () => {
    const sink = await grpcSink();
    const running = await startAgent({ exporters: [grpcExporter(sink.port)], processors: [resource('a', 'b')] });
    const good = request('traces', 1);
    const attribute = Buffer.from([0x0a, 0x05, 0x01]);
    const span = Buffer.from([0x12, 0x02, 0x12, 0x00]); // one scope with one empty span
    const body = Buffer.concat([Buffer.from([0x0a, 2 + attribute.length + span.length, 0x0a, attribute.length]), attribute, span]);
    const statuses: number[] = [];
    for (const one of [good, body, good]) statuses.push((await post(running.httpPort, PATHS.traces, one)).status);
    expect(statuses).toEqual([200, 400, 200]);
    expect((await finish(running)).total).toMatchObject({ received: 3, accepted: 2, refused: 1, sent: 2 });
    await sink.close();
  });
});

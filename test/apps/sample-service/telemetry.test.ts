// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${env:NAME} is what production.yaml holds
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OtlpSink, startOtlpSink } from '../../support/otlp-sink.ts';
import { runService } from './run-service.ts';

let sink: OtlpSink;
beforeEach(async () => {
  sink = await startOtlpSink();
});
afterEach(() => sink.close());

const post = (url: string, body: unknown, headers: { [name: string]: string } = {}): Promise<Response> =>
  fetch(`${url}/api/orders`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });

describe('traces', () => {
  it('are joined when the request brings a traceparent, and name every step below the request', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl, OTLP__SERVICE__NAME: 'shop' } });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const answer = await post(
      service.url,
      { item: 'book', quantity: 2 },
      { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'a=b' },
    );
    expect([answer.status, answer.headers.get('x-trace-id')]).toEqual([201, traceId]);
    await sink.until(() => sink.spans().length === 5, 'the five spans of an order');
    const spans = new Map(sink.spans().map((span) => [span.name, span]));
    const request = spans.get('POST /api/orders');
    expect(request).toMatchObject({
      traceId,
      parentSpanId: 'b7ad6b7169203331',
      kind: 2,
      traceState: 'a=b',
      statusCode: 0,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/api/orders',
        'url.path': '/api/orders',
        'http.response.status_code': 201,
      },
      resource: { 'service.name': 'shop' },
    });
    for (const step of ['order.validate', 'catalogue.price', 'stock.reserve', 'orders.store']) {
      expect(spans.get(step), step).toMatchObject({ traceId, parentSpanId: request?.spanId, kind: 1 });
    }
  });

  it('are not exported when the caller did not sample', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    await fetch(service.url, { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' } });
    await fetch(service.url);
    await sink.until(() => sink.spans().length > 0);
    expect(await service.stop()).toBe(0);
    expect(sink.spans()).toHaveLength(1);
    expect((await service.line('stopped')).exported).toBe(1);
  });

  it('say what failed: an error status, the exception, the type', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    expect((await fetch(`${service.url}/api/fail?status=503`)).status).toBe(503);
    expect((await fetch(`${service.url}/api/orders/none`)).status).toBe(404);
    await sink.until(() => sink.spans().length === 4);
    const spans = new Map(sink.spans().map((span) => [span.name, span]));
    const failed = spans.get('GET /api/fail');
    expect(failed).toMatchObject({ statusCode: 2, attributes: { 'http.response.status_code': 503, 'error.type': 'HttpError' } });
    expect(failed?.events[0]).toMatchObject({ name: 'exception', attributes: { 'exception.message': failed?.statusMessage } });
    expect(spans.get('GET /api/orders/:id')).toMatchObject({ statusCode: 0, attributes: { 'http.response.status_code': 404 } });
  });

  it.each([
    ['http/protobuf', 'none'],
    ['http/protobuf', 'gzip'],
    ['grpc', 'none'],
    ['grpc', 'gzip'],
  ])('go by %s with compression %s, metrics and logs too', async (protocol, compression) => {
    const endpoint = protocol === 'grpc' ? `http://${sink.grpcAddress}` : sink.httpUrl;
    const yaml = `exporter: { protocol: ${protocol}, compression: ${compression}, endpoint: "${endpoint}" }\nlogs: { export: true }\nmetrics: { interval: 200ms }`;
    const service = await runService({ yaml });
    await fetch(service.url);
    await sink.until(() => new Set(sink.requests.map(({ signal }) => signal)).size === 3, 'all three signals');
    expect(new Set(sink.requests.map(({ transport }) => transport))).toEqual(new Set([protocol === 'grpc' ? 'grpc' : 'http']));
    if (protocol !== 'grpc') {
      expect(new Set(sink.requests.map(({ headers }) => headers['content-encoding']))).toEqual(
        new Set([compression === 'gzip' ? 'gzip' : undefined]),
      );
    }
    expect(sink.spans().map(({ name }) => name)).toEqual(['GET /']);
    expect(await service.stop()).toBe(0);
  });

  it('carry the resource of the pod: file, OTLP__ and OTEL_* together', async () => {
    const yaml = 'service: { name: file }\nresource:\n  attributes:\n    k8s.pod.name: ${env:K8S_POD_NAME}\n    k8s.cluster.name: blue';
    const service = await runService({
      yaml,
      env: {
        K8S_POD_NAME: 'shop-1',
        OTLP__SERVICE__NAME: 'override',
        OTLP__SERVICE__ENVIRONMENT: 'observability',
        OTLP__SERVICE__INSTANCE_ID: 'shop-1',
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.httpUrl,
        OTLP__EXPORTER__ENDPOINT: 'http://127.0.0.1:1',
        OTEL_RESOURCE_ATTRIBUTES: 'k8s.cluster.name=green,k8s.node.name=node-1',
      },
    });
    await fetch(service.url);
    await sink.until(() => sink.spans().length === 1);
    expect(sink.spans()[0]?.resource).toMatchObject({
      'service.name': 'override',
      'service.instance.id': 'shop-1',
      'service.version': '0.1.0',
      'deployment.environment.name': 'observability',
      'deployment.environment': 'observability',
      'k8s.pod.name': 'shop-1',
      'k8s.cluster.name': 'green',
      'k8s.node.name': 'node-1',
      'telemetry.sdk.language': 'nodejs',
    });
  });
});

describe('metrics by OTLP', () => {
  it('have the names and units of the semantic conventions', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl } });
    await post(service.url, { item: 'lamp' });
    expect(await service.stop()).toBe(0);
    const metrics = new Map(sink.metrics().map((metric) => [metric.name, metric]));
    expect(metrics.get('http.server.request.duration')).toMatchObject({
      unit: 's',
      type: 'histogram',
      points: [{ count: 1, attributes: { 'http.request.method': 'POST', 'http.route': '/api/orders', 'http.response.status_code': 201 } }],
    });
    expect(metrics.get('shop.orders')).toMatchObject({
      type: 'sum',
      monotonic: true,
      points: [{ value: 1, attributes: { 'order.item': 'lamp' } }],
    });
  });
});

describe('logs', () => {
  it('are one JSON line per request, with the ids of the exported span', async () => {
    const service = await runService({ env: { OTLP__EXPORTER__ENDPOINT: sink.httpUrl, OTLP__SERVICE__NAME: 'shop' } });
    await fetch(`${service.url}/api/orders/1`);
    await fetch(`${service.url}/health/ready`);
    await fetch(`${service.url}/metrics`);
    await sink.until(() => sink.spans().length === 2);
    expect(await service.stop()).toBe(0);
    const lines = service.log.filter(({ message }) => message === 'request');
    const span = sink.spans().find(({ kind }) => kind === 2);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'info',
      'service.name': 'shop',
      trace_id: span?.traceId,
      span_id: span?.spanId,
      trace_flags: '01',
      method: 'GET',
      route: '/api/orders/:id',
      status: 200,
      duration: expect.any(Number),
    });
    expect(new Date(String(lines[0]?.time)).getTime()).toBeGreaterThan(0);
  });

  it('go out by OTLP as well when asked, with the same ids, and only then', async () => {
    const env = { OTLP__EXPORTER__ENDPOINT: sink.httpUrl };
    const silent = await runService({ env });
    await fetch(silent.url);
    await silent.stop();
    expect(sink.logs()).toEqual([]);
    const service = await runService({ env: { ...env, OTLP__LOGS__EXPORT: 'true' } });
    await fetch(`${service.url}/api/fail`);
    expect(await service.stop()).toBe(0);
    const line = service.log.find(({ message }) => message === 'request');
    expect(sink.logs().find(({ body }) => body === 'request')).toMatchObject({
      severityText: 'ERROR',
      severityNumber: 17,
      traceId: line?.trace_id,
      spanId: line?.span_id,
      attributes: { method: 'GET', route: '/api/fail', status: 500 },
    });
  });
});

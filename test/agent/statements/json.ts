import { expect } from 'vitest';
import { type Message, request } from '../kit/otlp.ts';
import { type HttpAnswer, PATHS, post } from './support/clients.ts';
import { type GrpcUpstream, grpcUpstream, toGrpc } from './support/grpc-upstream.ts';
import { type HttpUpstream, httpUpstream, toHttp } from './support/http-upstream.ts';
import type { Bodies, Keep, Running, Target } from './support/target.ts';
import { messageOf } from './support/upstream.ts';

const TRACE = '5B8EFFF798038103D269B633813FC60C';
const SPAN = 'eee19b7ec3c1b174';
/** As protobufjs shows bytes. */
const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');

const JSON_TYPE = 'application/json';
const sendJson = (running: Running, path: string, text: string): Promise<HttpAnswer> =>
  post(running.httpPort, text, { path, headers: { 'content-type': JSON_TYPE } });

interface Lines {
  readonly running: Running;
  /** What goes on as protobuf, and as JSON. */
  readonly proto: GrpcUpstream;
  readonly json: HttpUpstream;
}

/** A program that hands everything on twice: as protobuf over gRPC, and as JSON over HTTP. */
async function both(target: Target, keep: Keep): Promise<Lines> {
  const proto = keep.add(await grpcUpstream());
  const json = keep.add(await httpUpstream((_one, reply) => reply.ok('{}', JSON_TYPE)));
  const exporters = { otlp_grpc: toGrpc(proto), otlp_http: toHttp(json, { encoding: 'json' }) };
  return { running: keep.add(await target.start({ exporters })), proto, json };
}

/** Sends one JSON request that must be taken, and resolves with what went on: decoded protobuf, and the text of the JSON. */
async function through(lines: Lines, path: string, text: string): Promise<{ readonly message: Message; readonly text: string }> {
  const before = lines.proto.journal.received.length;
  const answer = await sendJson(lines.running, path, text);
  expect(answer.status, answer.body.toString().slice(0, 90)).toBe(200);
  await lines.proto.journal.until((received) => received.length > before);
  await lines.json.journal.until((received) => received.length > before);
  const last = lines.proto.journal.received.at(-1);
  if (last === undefined) throw new Error('nothing was received');
  return { message: messageOf(last), text: String(lines.json.journal.received.at(-1)?.body) };
}

const spans = (...list: string[]): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[${list.join(',')}]}]}]}`;
const firstSpan = (message: Message): Message =>
  (message as { resourceSpans: { scopeSpans: { spans: Message[] }[] }[] }).resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {};
const spanOf = (text: string): Message => firstSpan(JSON.parse(text) as Message);

export const JSON_ENCODING: Bodies = {
  24: async (target, keep) => {
    const lines = await both(target, keep);
    const link = `{"traceId":"${TRACE.toLowerCase()}","spanId":"${SPAN.toUpperCase()}"}`;
    const traces = await through(
      lines,
      PATHS.traces,
      spans(
        `{"name":"s","traceId":"${TRACE}","spanId":"${SPAN}","parentSpanId":"${SPAN}","links":[${link}],"attributes":[{"key":"b","value":{"bytesValue":"AP8="}}]}`,
      ),
    );
    expect(firstSpan(traces.message)).toMatchObject({
      traceId: base64(TRACE),
      spanId: base64(SPAN),
      parentSpanId: base64(SPAN),
      links: [{ traceId: base64(TRACE), spanId: base64(SPAN) }],
      attributes: [{ key: 'b', value: { bytesValue: 'AP8=' } }],
    });
    const again = spanOf(traces.text) as { traceId: string; spanId: string; links: { traceId: string }[] };
    expect([again.traceId.toUpperCase(), again.spanId, again.links[0]?.traceId.toUpperCase()]).toEqual([TRACE, SPAN, TRACE]);
    expect(traces.text).toContain('AP8=');

    const logs = await through(
      lines,
      PATHS.logs,
      `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"${TRACE}","spanId":"${SPAN}","body":{"stringValue":"l"}}]}]}]}`,
    );
    expect(JSON.stringify(logs.message)).toContain(base64(TRACE));
    const metrics = await through(
      lines,
      PATHS.metrics,
      `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"asDouble":1,"exemplars":[{"traceId":"${TRACE}","spanId":"${SPAN}","asInt":"1"}]}]}}]}]}]}`,
    );
    expect(JSON.stringify(metrics.message)).toContain(base64(TRACE));
    expect(metrics.text.toUpperCase()).toContain(TRACE);
  },

  25: async (target, keep) => {
    const lines = await both(target, keep);
    const taken = await through(
      lines,
      PATHS.traces,
      spans(`{"name":"s","traceId":"${TRACE}","spanId":"${SPAN}","kind":2,"status":{"code":2,"message":"m"}}`),
    );
    expect(firstSpan(taken.message)).toMatchObject({ kind: 2, status: { code: 2 } });
    expect(spanOf(taken.text)).toMatchObject({ kind: 2, status: { code: 2 } });
    const sum = `{"name":"m","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"asInt":"1"}]}}`;
    const metrics = await through(lines, PATHS.metrics, `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[${sum}]}]}]}`);
    expect(metrics.text).toMatch(/"aggregationTemporality":2\b/);
    const logs = await through(
      lines,
      PATHS.logs,
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":17,"body":{"stringValue":"l"}}]}]}]}',
    );
    expect(logs.text).toMatch(/"severityNumber":17\b/);
  },

  26: async (target, keep) => {
    const lines = await both(target, keep);
    const values = ['9007199254740993', '-9223372036854775808', '9223372036854775807', '0'];
    for (const written of [(value: string) => value, (value: string) => `"${value}"`]) {
      const attributes = values.map((value, i) => `{"key":"k${i}","value":{"intValue":${written(value)}}}`).join(',');
      const times = `"startTimeUnixNano":${written('1700000000000000001')},"endTimeUnixNano":${written('18446744073709551615')}`;
      const { message, text } = await through(
        lines,
        PATHS.traces,
        spans(`{"name":"s","traceId":"${TRACE}","spanId":"${SPAN}",${times},"attributes":[${attributes}]}`),
      );
      const span = firstSpan(message) as { attributes: { value: { intValue: string } }[] };
      expect(span).toMatchObject({ startTimeUnixNano: '1700000000000000001', endTimeUnixNano: '18446744073709551615' });
      expect(span.attributes.map((one) => one.value.intValue)).toEqual(values);
      expect(text).toMatch(/"startTimeUnixNano":"1700000000000000001"/);
      for (const value of values) expect(text).toContain(`"intValue":"${value}"`);
    }
  },

  27: async (target, keep) => {
    const lines = await both(target, keep);
    const unknown = '"later":{"deep":[1,{"x":null}]},"trace_id":"00","dropped_attributes_count":5,"Name":"no"';
    const { message, text } = await through(
      lines,
      PATHS.traces,
      `{"later":true,"resourceSpans":[{"later":"x","scope_spans":[],"scopeSpans":[{"later":[],"spans":[{${unknown},"name":"s","traceId":"${TRACE}","spanId":"${SPAN}"}]}]}]}`,
    );
    const span = firstSpan(message);
    expect(span).toMatchObject({ name: 's', traceId: base64(TRACE), spanId: base64(SPAN) });
    expect(span.droppedAttributesCount ?? 0).toBe(0);
    expect(text).not.toContain('later');
    expect(Object.keys(spanOf(text)).every((key) => /^[a-z][A-Za-z]*$/.test(key))).toBe(true);
  },

  28: async (target, keep) => {
    const lines = await both(target, keep);
    const { message } = await through(
      lines,
      PATHS.traces,
      `{"resourceSpans":[{"resource":null,"schemaUrl":null,"scopeSpans":[{"scope":null,"spans":[{"name":"s","traceId":"${TRACE}","spanId":"${SPAN}","parentSpanId":"","attributes":null,"status":null,"events":null,"kind":null,"startTimeUnixNano":null}]}]}]}`,
    );
    expect(firstSpan(message)).toMatchObject({ name: 's' });
    expect((firstSpan(message).attributes as unknown[] | undefined) ?? []).toEqual([]);

    const logs = await through(
      lines,
      PATHS.logs,
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"without ids"}},{"traceId":"","spanId":"","body":null}]}]}]}',
    );
    expect(JSON.stringify(logs.message)).toContain('without ids');

    const points = ['"NaN"', '"Infinity"', '"-Infinity"', '1.5'].map((value) => `{"asDouble":${value}}`).join(',');
    const metrics = await through(
      lines,
      PATHS.metrics,
      `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[${points}]}}]}]}]}`,
    );
    const { dataPoints } = (
      metrics.message as { resourceMetrics: { scopeMetrics: { metrics: { gauge: { dataPoints: { asDouble: number }[] } }[] }[] }[] }
    ).resourceMetrics[0]?.scopeMetrics[0]?.metrics[0]?.gauge ?? { dataPoints: [] };
    expect(dataPoints.map((one) => String(one.asDouble))).toEqual(['NaN', 'Infinity', '-Infinity', '1.5']);
    // What came as protobuf goes on as JSON in the same words.
    expect((await post(lines.running.httpPort, request('metrics', 1), { path: PATHS.metrics })).status).toBe(200);
    for (const word of ['"NaN"', '"Infinity"', '"-Infinity"']) expect(metrics.text).toContain(word);
  },
};

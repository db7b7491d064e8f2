import { connect } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SIGNALS } from '../../../agent/config/settings.ts';
import { jsonToProto, protoToJson } from '../../../agent/otlp/json/json.ts';
import { finish, post, type Running, startAgent, until } from '../kit/agent.ts';
import { decode, request } from '../kit/otlp.ts';
import { grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';

const LIMIT = 4 * 1024 * 1024;
const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };
let sink: Sink;
let running: Running;

beforeAll(async () => {
  sink = await grpcSink();
  running = await startAgent({ exporters: [grpcExporter(sink.port)], maxMessageBytes: LIMIT });
});
// Tests count what the sink gets: nothing of one arrives during the next.
afterEach(() => until(() => running.agent.books().total.queued === 0));
afterAll(async () => {
  await finish(running);
  await sink.close();
});

const deep = (levels: number): string => `${'{"arrayValue":{"values":['.repeat(levels)}${']}}'.repeat(levels)}`;
const withBody = (value: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${value}}]}]}]}`;

const codeOf = async (response: Response): Promise<number> => ((await response.json()) as { code: number }).code;

describe('OTLP/JSON over HTTP', () => {
  it.each(SIGNALS)('takes %s, and answers {} in JSON', async (signal) => {
    const body = request(signal, 20);
    const before = sink.received.length;
    const response = await post(running.httpPort, PATHS[signal], protoToJson(signal, [body]), JSON_HEADERS);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, 'application/json', '{}']);
    await until(() => sink.received.length === before + 1);
    expect(decode(signal, sink.received.at(-1)?.body as Buffer)).toEqual(decode(signal, body));
  });

  it('takes it compressed, in pieces and over HTTP/2', async () => {
    const json = Buffer.from(protoToJson('traces', [request('traces', 2000)]));
    const before = sink.received.length;
    expect((await post(running.httpPort, PATHS.traces, gzipSync(json), { ...JSON_HEADERS, 'content-encoding': 'gzip' })).status).toBe(200);
    const session = connect(`http://127.0.0.1:${running.httpPort}`);
    const stream = session.request({ ':method': 'POST', ':path': PATHS.traces, 'content-type': 'application/json' });
    const answered = new Promise<number>((resolve) => stream.on('response', (headers) => resolve(Number(headers[':status']))));
    for (let at = 0; at < json.length; at += 50_000) stream.write(json.subarray(at, at + 50_000));
    stream.end();
    expect(await answered).toBe(200);
    session.close();
    await until(() => sink.received.length === before + 2);
    expect(sink.received.at(-1)?.body.equals(sink.received.at(-2)?.body as Buffer)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['another type of value', '{"resourceSpans":{}}'],
    ['trailing garbage', '{} x'],
    ['two requests', '{}{}'],
    ['a byte order mark', '\uFEFF{}'],
    ['a cut request', '{"resourceSpans":[{"scopeSpans":['],
    ['a text that never ends', `{"resourceSpans":[{"schemaUrl":"${'x'.repeat(100_000)}`],
    ['a control character', '{"resourceSpans":[{"schemaUrl":"a\nb"}]}'],
    ['an unknown escape', '{"resourceSpans":[{"schemaUrl":"\\x41"}]}'],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"resourceSpans":[{"schemaUrl":"'), Buffer.from([0xff, 0xc0]), Buffer.from('"}]}')])],
    ['an id of a wrong length', '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102"}]}]}]}'],
    ['an id that is not hex', '{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"010203040506070g"}]}]}]}'],
    ['bytes that are not base64', withBody('{"bytesValue":"!"}')],
    ['a number out of range', withBody('{"intValue":"9223372036854775808"}')],
    ['a double out of range', withBody('{"doubleValue":1e999}')],
    ['a fraction for an integer', withBody('{"intValue":1.5}')],
    ['values 10 000 deep', withBody(deep(10_000))],
    ['lists 10 001 deep under an unknown key', `{"unknown":${'['.repeat(10_001)}${']'.repeat(10_001)}}`],
    ['objects that only open', '{"a":'.repeat(500_000)],
  ])('fails on %s with 400 and a Status in JSON', async (_what, body) => {
    const response = await post(running.httpPort, PATHS[String(body).includes('resourceLogs') ? 'logs' : 'traces'], body, JSON_HEADERS);
    expect([response.status, response.headers.get('content-type')]).toEqual([400, 'application/json']);
    expect(await response.json()).toMatchObject({ code: 3, message: expect.stringMatching(/OTLP_MALFORMED/) });
    await until(() => running.agent.heldBytes === 0);
  });

  it('the errors before and after the body are JSON too', async () => {
    const big = await post(running.httpPort, PATHS.traces, ' '.repeat(LIMIT + 1), JSON_HEADERS);
    expect([big.status, await codeOf(big)]).toEqual([413, 8]);
    const lost = await post(running.httpPort, '/v1/nothing', '{}', JSON_HEADERS);
    expect([lost.status, await codeOf(lost)]).toEqual([404, 12]);
    const encoding = await post(running.httpPort, PATHS.traces, '{}', { ...JSON_HEADERS, 'content-encoding': 'lz4' });
    expect([encoding.status, await codeOf(encoding)]).toEqual([415, 12]);
  });

  it('a value 200 deep, a 3 MiB text and what is lost of a surrogate pair arrive', async () => {
    const before = sink.received.length;
    for (const value of [deep(200), `{"stringValue":"${'y'.repeat(3_000_000)}"}`, '{"stringValue":"cut \\ud83d"}']) {
      expect((await post(running.httpPort, PATHS.logs, withBody(value), JSON_HEADERS)).status).toBe(200);
    }
    await until(() => sink.received.length === before + 3);
    const last = decode('logs', sink.received.at(-1)?.body as Buffer);
    expect(JSON.stringify(last)).toContain('cut \uFFFD');
  });

  it('what a JSON body grows to is charged before it is taken: 503 at the memory limit, not a crash', async () => {
    const small = await startAgent({ exporters: [grpcExporter(1)], memoryLimitBytes: 1_000_000, maxMessageBytes: LIMIT });
    // 200 KB of "0," become 800 KB of fixed64, beside the body
    const counts = `[${'0,'.repeat(99_999)}0]`;
    const body = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"bucketCounts":${counts}}]}}]}]}]}`;
    expect(jsonToProto('metrics', Buffer.from(body)).length).toBeGreaterThan(800_000);
    const response = await post(small.httpPort, PATHS.metrics, body, JSON_HEADERS);
    expect([response.status, await codeOf(response)]).toEqual([503, 14]);
    await until(() => small.agent.heldBytes === 0);
    await finish(small, 50);
  });
});

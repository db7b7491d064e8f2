import { request as httpRequest } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePartialSuccess, decodeStatus, encodeResponse } from '../../../agent/otlp/status.ts';
import { finish, post, type Running, startAgent } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter, PATHS, QUEUE } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';

let sink: Sink;
let running: Running;
beforeAll(async () => {
  // The next hop rejects 2 spans of each request, and the sender waits for that.
  sink = await grpcSink(() => ({ response: encodeResponse('traces', 2, 'too old') }));
  const queue = { ...QUEUE, waitForResult: true };
  running = await startAgent({
    exporters: [grpcExporter(sink.port, { queue })],
    http: { responseHeaders: { 'Strict-Transport-Security': 'max-age=1' } },
  });
});
afterAll(async () => {
  await finish(running);
  await sink.close();
});

/** fetch() undoes the encoding, so by hand. */
function ask(path: string, headers: Record<string, string>): Promise<{ encoding: string | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({ port: running.httpPort, path, method: 'POST', headers: { 'content-length': 0, ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ encoding: response.headers['content-encoding'], body: Buffer.concat(parts) }));
    });
    call.on('error', reject);
    call.end();
  });
}

describe('answers of OTLP/HTTP', () => {
  const long = `/v1/${'x'.repeat(3000)}`;

  it.each(['gzip', 'br, gzip;q=0.5', 'deflate,gzip ', 'GZIP;q=1.0'])(
    'are compressed for accept-encoding %s where that makes them smaller',
    async (accept) => {
      const { encoding, body } = await ask(long, { 'accept-encoding': accept });
      expect(encoding).toBe('gzip');
      expect(decodeStatus(gunzipSync(body))?.code).toBe(12);
      expect((await ask('/v1/x', { 'accept-encoding': accept })).encoding).toBeUndefined();
    },
  );

  it.each(['', 'identity', 'gzip;q=0', 'gzip;q=0.000', 'br', 'xgzip'])('are as they are for accept-encoding "%s"', async (accept) => {
    const { encoding, body } = await ask(long, accept === '' ? {} : { 'accept-encoding': accept });
    expect(encoding).toBeUndefined();
    expect(decodeStatus(body)?.code).toBe(12);
  });

  it('tell what the next hop rejected, in the type of the request, and carry response_headers', async () => {
    const proto = await post(running.httpPort, PATHS.traces, request('traces', 5));
    expect(decodePartialSuccess(Buffer.from(await proto.arrayBuffer()))).toEqual({ rejected: 2, message: 'too old' });
    expect(proto.headers.get('strict-transport-security')).toBe('max-age=1');
    const spans = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{"name":"b"},{"name":"c"}]}]}]}';
    const json = await post(running.httpPort, PATHS.traces, spans, { 'content-type': 'application/json' });
    expect([json.status, await json.json()]).toEqual([200, { partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' } }]);
  });

  it('leave a connection open after a refusal that had no body to wait for', async () => {
    const agent = await fetch(`http://127.0.0.1:${running.httpPort}/v1/traces`);
    expect([agent.status, agent.headers.get('connection')]).toEqual([405, 'keep-alive']);
  });
});

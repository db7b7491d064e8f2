import { mkdtempSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createAgent } from '../../../agent/index.ts';
import { protoToJson } from '../../../agent/otlp/json/json.ts';
import { assertBooksBalance, recordingLog, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { agentSettings, grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

it('a unix socket takes protobuf and JSON over HTTP/1.1 and HTTP/2', async () => {
  const sink = await grpcSink();
  const path = join(mkdtempSync(join(tmpdir(), 'otlp-unix-')), 'otlp.sock');
  const agent = await createAgent(agentSettings({ exporters: [grpcExporter(sink.port)], http: { address: { kind: 'unix', path } } }), {
    log: recordingLog([]),
  });
  await agent.start();
  const body = request('traces', 3);
  const bodies = { 'application/x-protobuf': body, 'application/json': Buffer.from(protoToJson('traces', [body])) };
  for (const [type, content] of Object.entries(bodies)) {
    const one = await new Promise<number | undefined>((resolve) => {
      const call = httpRequest({ socketPath: path, path: PATHS.traces, method: 'POST', headers: { 'content-type': type } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.end(content);
    });
    expect(one).toBe(200);
    const session = connectHttp2('http://localhost', { createConnection: () => connect(path) });
    const stream = session.request({ ':method': 'POST', ':path': PATHS.traces, 'content-type': type });
    stream.resume();
    const two = new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    stream.end(content);
    expect(await two).toBe(200);
    session.close();
  }
  await until(() => sink.received.length === 4);
  for (const one of sink.received) expect(one.body.equals(body)).toBe(true);
  await agent.drain(2000);
  await agent.close();
  assertBooksBalance(agent);
  await sink.close();
});

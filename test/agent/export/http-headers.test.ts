import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createAgent } from '../../../agent/index.ts';
import { post, recordingLog, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { httpSink } from '../kit/sink.ts';
import { loadYaml, problemsOf } from '../support/config.ts';
import { configFile } from '../support/program.ts';

const yaml = (endpoint: string, headers: string): string => `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } }
exporters:
  otlp_http: { endpoint: "${endpoint}", headers: ${headers}, compression: none }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http] }
`;

describe('headers of otlp_http', () => {
  it('come from the environment and from files, whose last line break is none of the value', async () => {
    const sink = await httpSink();
    const file = configFile('secret from a file\n', 'token');
    const headers = `{ Authorization: "Bearer \${file:${file}}", X-Tenant: "\${env:TENANT}", X-Plain: text }`;
    const { settings } = loadYaml(yaml(`http://127.0.0.1:${sink.port}`, headers), { environment: { TENANT: 'team a' } });
    const agent = await createAgent(settings, { log: recordingLog([]) });
    await agent.start();
    const address = agent.addresses['otlp/http'];
    if (address?.kind !== 'tcp') throw new Error('no port');
    await post(address.port, '/v1/traces', request('traces', 1));
    await until(() => sink.received.length === 1);
    expect(sink.received[0]?.headers).toMatchObject({
      authorization: 'Bearer secret from a file',
      'x-tenant': 'team a',
      'x-plain': 'text',
    });
    // A reload reads the file again: so does a second load.
    writeFileSync(file, 'another\n');
    const again = loadYaml(yaml('http://gw:4318', `{ X-Token: "\${file:${file}}" }`)).settings.exporters.otlp_http;
    expect(again).toMatchObject({ headers: { 'x-token': 'another' } });
    await agent.drain(1000);
    await agent.close();
    await sink.close();
  });

  it.each([
    ['{ "Bad Name": x }', 'exporters.otlp_http.headers', '"bad name" is no name of a header'],
    ['{ X-Two: "a\\nb" }', 'exporters.otlp_http.headers.X-Two', 'a header is one line of text'],
  ])('fails at start for %s, without the value', (headers, path, message) => {
    const [problem] = problemsOf(yaml('http://gw:4318', headers));
    expect(problem?.path.join('.').toLowerCase()).toBe(path.toLowerCase());
    expect(problem?.message).toContain(message);
  });

  it.each([
    ['https://proxy:1', 'TLS is not supported yet'],
    ['socks5://proxy:1', 'only http proxies are supported'],
  ])('fails at start for proxy_url %s', (url, message) => {
    const text = yaml('http://gw:4318', '{}').replace('compression:', `proxy_url: "${url}", compression:`);
    expect(problemsOf(text)).toMatchObject([{ path: ['exporters', 'otlp_http', 'proxy_url'], message: expect.stringContaining(message) }]);
  });
});

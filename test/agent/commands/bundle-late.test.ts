import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../../agent/commands/program.ts';
import { ReloadRequests } from '../../../agent/commands/reload-requests.ts';
import { run } from '../../support/run.ts';
import { httpSink } from '../kit/sink.ts';
import { configFile, type Ended, Program } from '../support/program.ts';

const BUNDLER = fileURLToPath(new URL('../../../agent/build-bundle.mjs', import.meta.url));
const CORPUS = fileURLToPath(new URL('../corpus/', import.meta.url));
const bundle = join(mkdtempSync(join(tmpdir(), 'otlp-agent-late-')), 'otlp-agent.mjs');

/** Together they have every component. */
const FILES = [
  'attributes-processor',
  'count-connector',
  'debug-exporter',
  'file-exporter',
  'filter-processor',
  'http-client',
  'loadbalancing',
  'probabilistic-sampler',
  'redaction-processor',
  'registration',
  'resolvers',
  'resource-actions',
  'resource-detection',
  'transform-processor',
  'unused-components',
].map((name) => join(CORPUS, `${name}.yaml`));

/** What the sources say, where nothing is late. */
async function bySources(args: readonly string[]): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const io = {
    environment: {},
    out: (text: string): void => {
      stdout += text;
    },
    err: (text: string): void => {
      stderr += text;
    },
  };
  const code = await runProgram(args, io, new AbortController().signal, new ReloadRequests());
  return { code, stdout, stderr };
}

async function expectSame(args: readonly string[]): Promise<void> {
  expect(await new Program(args, {}, bundle).ended).toEqual(await bySources(args));
}

beforeAll(async () => {
  expect(await run(process.execPath, [BUNDLER, bundle, '--no-compiled'])).toEqual({ code: 0, output: '' });
});

describe('the bundle says what the sources say', () => {
  it.each([['components'], ['components', '--json'], ['print-config', '--schema'], ['--help'], ['explain', '--help']])(
    '%s %s',
    async (...args) => await expectSame(args),
  );

  it.each(FILES)('of %s', async (path) => {
    await expectSame(['explain', '--json', '--config', path]);
    await expectSame(['print-config', '--config', path]);
  });

  it('fails with the same problems of components that are loaded late', async () => {
    const wrong = [
      'processors.transform.trace_statements=["set(nonsense"]',
      'processors.filter.traces.span=["1 =="]',
      'processors.redaction.blocked_values=["("]',
      'exporters.otlp_http.endpoint=5',
      'exporters.file.rotation.max_days=x',
      'connectors.count.spans.a.conditions=[5]',
      'extensions.registration.zzz=1',
    ];
    await expectSame(['validate', '--json', '--config', join(CORPUS, 'minimal-grpc.yaml'), ...wrong.flatMap((set) => ['--set', set])]);
  });
});

describe('what the bundle loads late', () => {
  const PIPELINES = `{
    traces: {receivers: [otlp], processors: [attributes, resource, transform, filter, redaction, probabilistic_sampler], exporters: [otlp_http, count]},
    metrics: {receivers: [count], exporters: [otlp_http]}}`;
  const CONFIG = `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
processors:
  attributes: {actions: [{key: a, value: b, action: upsert}]}
  resource: {attributes: [{key: c, value: d, action: upsert}]}
  transform: {trace_statements: ['set(span.attributes["e"], "f")']}
  filter: {error_mode: ignore, traces: {span: ['name == "dropped"']}}
  redaction: {allow_all_keys: true, blocked_values: ["secret[0-9]+"]}
  probabilistic_sampler: {sampling_percentage: 100}
exporters: {otlp_http: {endpoint: "http://127.0.0.1:PORT", compression: none}}
connectors: {count: {}}
service: {telemetry: {metrics: {level: none}}, pipelines: ${PIPELINES}}
`;

  it.each([1, 2])('processes, counts and sends, from JSON, with %i workers', async (workers) => {
    const sink = await httpSink();
    const config = configFile(CONFIG.replace('PORT', String(sink.port)));
    await using agent = new Program(['--config', config, '--set', `agent.workers=${workers}`], {}, bundle);
    const { 'otlp/http': http } = await agent.listening();
    const span = (name: string): object => ({ traceId: '01'.repeat(16), spanId: '02'.repeat(8), name, attributes: [] });
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span('kept'), span('dropped'), span('kept too')] }] }] });
    const answer = await fetch(`http://${http}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 200 });
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    // Two spans and the metric that counts them.
    expect(await agent.event('drained')).toMatchObject({ accepted: 3, sent: 3, evicted: 0 });
    expect(sink.delivered()).toBe(3);
    await sink.close();
  });

  it('serves /metrics', async () => {
    const level = 'service.telemetry.metrics={readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: 0}}}}]}';
    const receiver = 'receivers.otlp.protocols={grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}';
    await using agent = new Program(['--config', join(CORPUS, 'minimal-grpc.yaml'), '--set', level, '--set', receiver], {}, bundle);
    const { metrics } = await agent.listening();
    const answer = await fetch(`http://${metrics}/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('otelcol_process_uptime ');
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
  });

  it('is not evaluated before: a default start needs two chunks of half a megabyte together, the others are compressed', () => {
    const text = readFileSync(bundle, 'utf8');
    const sizes = Object.fromEntries(
      [...text.matchAll(/^"([^"]+)"\(\)\{\/\*(.*?)\*\/\}/gmsu)].map(([, name, code]) => [name, (code as string).length]),
    );
    const { 'both.js': both = 0, 'program.js': program = 0, '_undici.js': undici = Number.POSITIVE_INFINITY } = sizes;
    expect(both).toBeGreaterThan(50_000);
    expect(program).toBeGreaterThan(50_000);
    expect(both + program).toBeLessThan(500_000);
    expect(undici).toBeLessThan(200_000);
  });
});

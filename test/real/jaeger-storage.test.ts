/**
 * Jaeger with the configuration that the production profile prints for it, on a real OpenSearch: only addresses and the path of the password
 * file are changed. A gate in front of OpenSearch, which has no security here, admits only the printed user with the password of the file.
 */
import { writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Manifest, printStack } from '../support/printed-stack.ts';
import { applyOverrides } from './overrides.ts';
import {
  describeReal,
  JaegerQuery,
  newFolder,
  type OpenSearchServer,
  POD_IP,
  PrintedPrograms,
  parseExposition,
  type RunningProcess,
  realPath,
  runProgram,
  startOpenSearch,
} from './support/index.ts';

const STORE = 'elasticsearch.observability.svc.cluster.local:9200';
const PASSWORD = 'of-the-mounted-file';
const TRACES = 150;
const CHILDREN = 3;
const SPANS = TRACES * (CHILDREN + 1);

describeReal(['jaeger', 'opensearch', 'telemetrygen'], 'Jaeger of the production profile on OpenSearch', () => {
  const stack = printStack();
  let programs: PrintedPrograms;
  let search: OpenSearchServer;
  let gate: Gate;
  let jaeger: RunningProcess;
  let query: JaegerQuery;

  beforeAll(async () => {
    search = await startOpenSearch();
    gate = await Gate.start(search.port, `jaeger:${PASSWORD}`);
    programs = await PrintedPrograms.of(stack);
    jaeger = await startPrinted(programs, gate, PASSWORD);
    query = new JaegerQuery(`http://${POD_IP}:${programs.ports.query}`);
  });

  afterAll(async () => {
    await gate?.stop();
  });

  it('writes every span and reads it back, over both OTLP ports', async () => {
    await send(programs.ports.jaegerGrpc, 'checkout');
    await send(programs.ports.jaegerHttp, 'payment', '--otlp-http');
    expect(await query.waitForSpans('checkout', SPANS)).toBe(SPANS);
    expect(await query.waitForSpans('payment', SPANS)).toBe(SPANS);
    expect(await query.services()).toEqual(expect.arrayContaining(['checkout', 'payment']));
    const [trace] = await query.traces('checkout', 1);
    expect(await query.trace(trace?.traceID ?? '')).toMatchObject({ traceID: trace?.traceID });
  });

  it('keeps them in daily indices with the printed prefix, shards and copies', async () => {
    const indices = (await search.request('GET', '/_cat/indices?format=json')) as Manifest[];
    const spans = indices.find(({ index }) => /^jaeger-jaeger-span-\d{4}-\d{2}-\d{2}$/.test(index));
    expect(spans).toMatchObject({ pri: '3', rep: '1' });
    expect(indices.some(({ index }) => /^jaeger-jaeger-service-\d{4}-\d{2}-\d{2}$/.test(index))).toBe(true);
    // By their ids: a sender whose answer is late on a busy machine sends again, and what Jaeger shows once is stored twice.
    const search10k = '/jaeger-jaeger-span-*/_search?size=10000&_source=traceID,spanID';
    const { hits } = (await search.request('GET', search10k)) as { hits: { hits: { _source: { traceID: string; spanID: string } }[] } };
    expect(new Set(hits.hits.map(({ _source: one }) => `${one.traceID}/${one.spanID}`)).size).toBe(2 * SPANS);
  });

  it('sends the printed user with the password of the mounted file, and nothing without it', () => {
    expect(gate.admitted).toBeGreaterThan(0);
    expect(gate.refused).toBe(0);
  });

  it('counts requests to the storage under the names that alerts and dashboards use', async () => {
    const text = await (await fetch(`http://${POD_IP}:${programs.ports.jaegerMetrics}/metrics`)).text();
    const families = parseExposition(text);
    const named = (name: string): Manifest => families.find((family) => family.name === name);
    expect(named('jaeger_storage_requests_total'), text.slice(0, 2000)).toBeDefined();
    expect(named('jaeger_storage_latency_seconds')?.type).toBe('histogram');
    expect(text).toMatch(/^jaeger_storage_requests_total\{[^}]*name="main"[^}]*operation="[^"]+"[^}]*result="ok"[^}]*\} [1-9]/m);
  });

  it('ends at once with everything written, also what it took a moment ago', async () => {
    await send(programs.ports.jaegerGrpc, 'shipping');
    expect(await jaeger.stop()).toMatchObject({ code: 0, killed: false });
    jaeger = await startPrinted(programs, gate, PASSWORD);
    expect(await query.countSpans('checkout')).toBe(SPANS);
    expect(await query.waitForSpans('shipping', SPANS)).toBe(SPANS);
  });

  it('fails to start with a wrong password, and says so', async () => {
    const before = gate.refused;
    await expect(startPrinted(await PrintedPrograms.of(stack), gate, 'wrong')).rejects.toThrow(/401/);
    expect(gate.refused).toBeGreaterThan(before);
  });
});

describeReal(['opensearch'], 'the index template of the logs on OpenSearch', () => {
  const setup = printStack().objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('elasticsearch-setup'),
  ) as Manifest;
  const printed = JSON.parse(setup.data['template.otlp-rust.json']);
  const template = applyOverrides(printed, [
    { id: 'elastic-only', at: ['template', 'settings', 'index.lifecycle.name'], to: undefined },
    { id: 'elastic-only', at: ['template', 'mappings', 'properties', 'kubernetes', 'properties', 'labels', 'type'], to: 'flat_object' },
  ]);
  let search: OpenSearchServer;

  beforeAll(async () => {
    search = await startOpenSearch();
  });

  it('is installed twice without a difference', async () => {
    const read = async (): Promise<unknown> => search.request('GET', '/_index_template/otlp-rust');
    await search.request('PUT', '/_index_template/otlp-rust', template);
    const once = await read();
    await search.request('PUT', '/_index_template/otlp-rust', template);
    expect(await read()).toEqual(once);
  });

  it('makes the first document a data stream, which rolls over', async () => {
    const log = { '@timestamp': new Date().toISOString(), message: 'order taken', trace_id: 'a'.repeat(32), status: 200, duration: 1.5 };
    await search.request('POST', '/otlp-rust/_create/1?refresh=true', log);
    const streams = (await search.request('GET', '/_data_stream/otlp-rust')) as { data_streams: Manifest[] };
    expect(streams.data_streams).toHaveLength(1);
    const [{ indices }] = streams.data_streams as [Manifest];
    const settings = (await search.request('GET', `/${indices[0].index_name}/_settings`)) as Manifest;
    expect(settings[indices[0].index_name].settings.index).toMatchObject({ number_of_shards: '3', number_of_replicas: '1' });
    expect(await search.request('POST', '/otlp-rust/_rollover')).toMatchObject({ acknowledged: true, rolled_over: true });
  });

  it('finds a log by the trace id, and no text by a wrong type', async () => {
    const query = { query: { term: { trace_id: 'a'.repeat(32) } } };
    expect(await search.request('POST', '/otlp-rust/_search', query)).toMatchObject({ hits: { total: { value: 1 } } });
    const wrong = { '@timestamp': new Date().toISOString(), status: 'not a number' };
    await expect(search.request('POST', '/otlp-rust/_doc?op_type=create', wrong)).rejects.toThrow(/status/);
  });

  it('fails as printed for the two reasons that the overrides name, and no other', async () => {
    await expect(search.request('PUT', '/_index_template/printed', { ...printed, index_patterns: ['printed'] })).rejects.toThrow(
      /index\.lifecycle\.name/,
    );
    const withoutPolicy = applyOverrides(printed, [
      { id: 'elastic-only', at: ['template', 'settings', 'index.lifecycle.name'], to: undefined },
    ]);
    await expect(search.request('PUT', '/_index_template/printed', { ...withoutPolicy, index_patterns: ['printed'] })).rejects.toThrow(
      /flattened/,
    );
  });
});

/** The printed configuration with the address of the store and the folder of its password file changed, and nothing else. */
async function startPrinted(programs: PrintedPrograms, gate: Gate, password: string): Promise<RunningProcess> {
  const folder = newFolder('jaeger-password');
  writeFileSync(join(folder, 'jaeger'), password);
  return await programs.startJaeger([
    { id: 'peer-address', from: STORE, to: `${POD_IP}:${gate.port}` },
    { id: 'file-path', from: '/etc/jaeger-elasticsearch', to: folder },
  ]);
}

async function send(port: number, service: string, ...more: string[]): Promise<void> {
  const load = ['traces', '--otlp-insecure', '--otlp-endpoint', `${POD_IP}:${port}`, '--rate', '0', '--service', service, ...more];
  const counts = ['--traces', String(TRACES), '--child-spans', String(CHILDREN)];
  expect((await runProgram(realPath('telemetrygen'), [...load, ...counts])).code).toBe(0);
}

/** Passes on what carries the right credentials, as Elasticsearch with security on would. */
class Gate {
  admitted = 0;
  refused = 0;
  private readonly server: Server;

  static async start(upstream: number, credentials: string): Promise<Gate> {
    const gate = new Gate(upstream, `Basic ${Buffer.from(credentials).toString('base64')}`);
    await new Promise<void>((resolve) => gate.server.listen(0, POD_IP, resolve));
    return gate;
  }

  private constructor(upstream: number, authorization: string) {
    this.server = createServer((incoming, response) => {
      if (incoming.headers.authorization !== authorization) {
        this.refused += 1;
        incoming.resume();
        response.writeHead(401).end();
        return;
      }
      this.admitted += 1;
      const { method, url, headers } = incoming;
      const onward = httpRequest({ host: POD_IP, port: upstream, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      incoming.pipe(onward);
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

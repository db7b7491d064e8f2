import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { writeConfig } from '../../../../test/real/support/config-file.ts';
import { scrapeSettled } from '../../../../test/real/support/exposition.ts';
import { freePorts } from '../../../../test/real/support/ports.ts';
import { newFolder, runProgram, startProcess } from '../../../../test/real/support/process.ts';
import type { ComponentFact, ComponentKind } from '../../model.ts';
import type { PartialFacts } from '../store.mts';
import { metricFacts } from './facts.mts';

/** The two programs of this repository. They need nothing but Node, so the facts are compared in the ordinary tests. */
const AGENT = fileURLToPath(new URL('../../../../agent/main.ts', import.meta.url));
const SERVICE = fileURLToPath(new URL('../../../../apps/sample-service/main.ts', import.meta.url));

const KINDS: { readonly [section: string]: ComponentKind } = {
  receivers: 'receiver',
  processors: 'processor',
  exporters: 'exporter',
  connectors: 'connector',
  extensions: 'extension',
};

interface ListedComponent {
  readonly type: string;
  readonly aliases?: readonly string[];
  readonly signals?: readonly string[];
}

/** The agent with every component in use, after a request and a peer that speaks something else: counters by code start with the first. */
export async function harvestAgent(): Promise<PartialFacts> {
  const version = packageVersion('../../../../agent/package.json');
  const port = await freePorts('grpc', 'http', 'self', 'health', 'dead');
  const local = (number: number): string => `127.0.0.1:${number}`;
  const pipeline = { receivers: ['otlp'], processors: ['memory_limiter', 'resource'], exporters: ['otlp_grpc', 'otlp_http', 'debug'] };
  const folder = newFolder('otlp-agent');
  const config = writeConfig(folder, 'agent.yaml', {
    extensions: { health_check: { endpoint: local(port.health) } },
    receivers: { otlp: { protocols: { grpc: { endpoint: local(port.grpc) }, http: { endpoint: local(port.http) } } } },
    processors: {
      memory_limiter: { check_interval: '1s', limit_mib: 512 },
      resource: { attributes: [{ key: 'a', value: 'b', action: 'upsert' }] },
    },
    exporters: {
      otlp_grpc: { endpoint: local(port.dead), tls: { insecure: true }, sending_queue: { batch: {} } },
      otlp_http: { endpoint: `http://${local(port.dead)}`, tls: { insecure: true } },
      debug: {},
    },
    service: {
      extensions: ['health_check'],
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: port.self } } } }] } },
      pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline, profiles: pipeline },
    },
  });
  await using agent = await startProcess({
    bin: process.execPath,
    args: [AGENT, '--config', config],
    name: 'otlp-agent',
    cwd: folder,
    ready: { port: port.self },
  });
  const headers = { 'content-type': 'application/x-protobuf' };
  await (await fetch(`http://${local(port.http)}/v1/traces`, { method: 'POST', headers, body: new Uint8Array() })).arrayBuffer();
  await speakNonsense(port.grpc);
  const families = await scrapeSettled(`http://${local(port.self)}/metrics`, [
    'otlp_agent_receiver_requests',
    'otlp_agent_connection_errors',
  ]);
  await agent.stop();
  const { stdout } = await runProgram(process.execPath, [AGENT, 'components', '--json']);
  return {
    program: 'otlp-agent',
    version,
    title: 'otlp-stack agent',
    run: true,
    completeDistributions: ['otlp-agent'],
    components: componentsOf(JSON.parse(stdout) as { [section: string]: ListedComponent[] }, version),
    metrics: metricFacts(version, [{ endpoint: 'self', families }]),
  };
}

/** A peer on the gRPC port that speaks no HTTP/2; ends when the agent hangs up. */
async function speakNonsense(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {}); // A reset is an answer, too.
  socket.end('GET / HTTP/1.0\r\n\r\n').resume();
  await once(socket, 'close');
}

function componentsOf(listed: { readonly [section: string]: readonly ListedComponent[] }, version: string): ComponentFact[] {
  return Object.entries(KINDS).flatMap(([section, kind]) =>
    (listed[section] ?? []).map(({ type, aliases = [], signals = [] }) => ({
      kind,
      type,
      ...(aliases[0] === undefined ? {} : { formerType: aliases[0] }),
      stability: Object.fromEntries([...signals].sort().map((signal) => [signal, 'supported'])),
      distributions: ['otlp-agent'],
      source: `live@${version}`,
    })),
  );
}

/** The sample service after a few requests, with nobody who takes its telemetry, so that drops are counted too. */
export async function harvestSampleService(): Promise<PartialFacts> {
  const version = packageVersion('../../../../apps/sample-service/package.json');
  const port = await freePorts('http', 'dead');
  const folder = newFolder('sample-service');
  const config = writeConfig(folder, 'production.yaml', {
    service: { name: 'checkout', port: port.http },
    exporter: { endpoint: `http://127.0.0.1:${port.dead}`, timeout: '1s' },
  });
  await using service = await startProcess({
    bin: process.execPath,
    args: [SERVICE, '--config', config],
    name: 'sample-service',
    cwd: folder,
    ready: { url: `http://127.0.0.1:${port.http}/health/ready` },
  });
  for (const path of ['/api/orders/1', '/nowhere']) await (await fetch(`http://127.0.0.1:${port.http}${path}`)).text();
  const families = await scrapeSettled(`http://127.0.0.1:${port.http}/metrics`, ['http_requests_total', 'otlp_spans_dropped_total']);
  await service.stop();
  return {
    program: 'sample-service',
    version,
    title: 'otlp-stack sample service',
    run: true,
    metrics: metricFacts(version, [{ endpoint: 'self', families }]),
  };
}

function packageVersion(path: string): string {
  return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
}

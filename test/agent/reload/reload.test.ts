import { mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { GrpcClient } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { CLIENT_CODEC, CODEC, HTTP1_CODEC } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { Program } from '../support/program.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function sink(): Promise<Sink> {
  const made = await grpcSink();
  open.push(made);
  return made;
}

interface Shape {
  readonly backend: number;
  readonly second?: number;
  readonly environment?: string;
  readonly queueSize?: number;
  readonly streams?: number;
  readonly interval?: string;
  readonly httpPort?: number;
}

/** A configuration whose receivers keep their free ports: endpoints are as in the first one. */
function yaml({ backend, second, environment, queueSize = 1000, streams = 1000, interval = '0s', httpPort = 0 }: Shape): string {
  const exporter = (port: number): string =>
    `{ endpoint: "127.0.0.1:${port}", http2_codec: ${CLIENT_CODEC}, compression: none, tls: { insecure: true }, sending_queue: { queue_size: ${queueSize} }, retry_on_failure: { initial_interval: 20ms, max_interval: 50ms } }`;
  return `receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:0", max_concurrent_streams: ${streams}, http2_codec: ${CODEC} }
      http: { endpoint: "127.0.0.1:${httpPort}", max_request_body_size: ${1_000_000 + streams}, http1_codec: ${HTTP1_CODEC} }
processors:
  resource: { attributes: [{ key: deployment.environment, value: ${environment ?? 'none'}, action: upsert }] }
exporters:
  otlp_grpc: ${exporter(backend)}
${second === undefined ? '' : `  otlp_grpc/second: ${exporter(second)}\n`}service:
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 127.0.0.1, port: 0 } } } }] } }
  pipelines:
    traces:
      receivers: [otlp]
      processors: [${environment === undefined ? '' : 'resource'}]
      exporters: [otlp_grpc${second === undefined ? '' : ', otlp_grpc/second'}]
agent: { reload_interval: ${interval} }
`;
}

function file(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'otlp-reload-')), 'agent.yaml');
  writeFileSync(path, text);
  return path;
}

/** How often the agent has said so. */
const count = (agent: Program, msg: string): number => agent.lines().filter((line) => line.msg === msg).length;

async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const values = text.split('\n').filter((line) => line.startsWith(name));
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** One kept-alive connection that posts one after the other until told to stop; any answer but 200 is a refusal. */
async function postAll(port: number, stop: () => boolean): Promise<{ sent: number; refused: number[] }> {
  const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  const refused: number[] = [];
  let sent = 0;
  for (let i = 0; !stop(); i += 1) {
    const body = request('traces', 1, `http-${i}`);
    const status = await new Promise<number>((resolve, reject) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
      const call = httpRequest({ agent, port, host: '127.0.0.1', path: '/v1/traces', method: 'POST', headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      });
      call.on('error', reject);
      call.end(body);
    });
    if (status === 200) sent += 1;
    else refused.push(status);
  }
  agent.destroy();
  return { sent, refused };
}

async function callAll(client: GrpcClient, stop: () => boolean): Promise<{ sent: number; refused: string[] }> {
  const refused: string[] = [];
  let sent = 0;
  for (let i = 0; !stop(); i += 1) {
    try {
      await client.export('traces', request('traces', 1, `grpc-${i}`));
      sent += 1;
    } catch (error) {
      refused.push(String(error));
    }
  }
  return { sent, refused };
}

const portOf = (address: string | undefined): number => Number((address ?? '').slice((address ?? '').lastIndexOf(':') + 1));

describe('a reload', () => {
  it('under load refuses no request, loses none and delivers none twice, whatever part changes', async () => {
    const [first, second] = [await sink(), await sink()];
    const path = file(yaml({ backend: first.port }));
    await using agent = new Program(['--config', path]);
    const addresses = await agent.listening();
    let stopped = false;
    const client = new GrpcClient(portOf(addresses['otlp/grpc']));
    open.push(client);
    const load = Promise.all([postAll(portOf(addresses['otlp/http']), () => stopped), callAll(client, () => stopped)]);
    const steps: Shape[] = [
      { backend: first.port, environment: 'blue' }, // a processor more
      { backend: first.port, environment: 'blue', queueSize: 500 }, // the exporter is another one
      { backend: first.port, environment: 'blue', queueSize: 500, streams: 7 }, // the receivers are, at the same addresses
      { backend: second.port, environment: 'green' }, // another backend
      { backend: second.port, second: first.port }, // a fan-out
      { backend: first.port },
    ];
    for (const [index, step] of steps.entries()) {
      writeFileSync(path, yaml(step));
      agent.signal('SIGHUP');
      await agent.event('configuration reloaded', index + 1);
    }
    stopped = true;
    const [http, grpc] = await load;
    expect([...http.refused, ...grpc.refused]).toEqual([]);
    expect(http.sent).toBeGreaterThan(0);
    expect(grpc.sent).toBeGreaterThan(0);
    // The client sends again what its own HTTP/2 library refused at a GOAWAY; the agent itself has refused nothing.
    expect(await metric(addresses.metrics ?? '', 'otlp_agent_connection_errors{kind="refused_stream"}')).toBe(0);
    expect(await metric(addresses.metrics ?? '', 'otlp_agent_config_reloads{result="success"}')).toBe(steps.length);
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    const names = [...first.received, ...second.received].map(({ body }) => /(?:http|grpc)-\d+-0\/0/u.exec(body.toString('latin1'))?.[0]);
    // The fan-out step gives both sinks the same request: twice over all sinks, never twice in one.
    for (const one of [first, second]) {
      const own = one.received.map(({ body }) => /(?:http|grpc)-\d+-0\/0/u.exec(body.toString('latin1'))?.[0]);
      expect(new Set(own).size).toBe(own.length);
    }
    expect(new Set(names).size).toBe(http.sent + grpc.sent);
    const books = agent.lines().find((line) => line.msg === 'drained');
    expect(books).toMatchObject({ accepted: http.sent + grpc.sent, refused: 0, failed: 0, sendFailed: 0, evicted: 0, queued: 0 });
  });

  it('lets an exporter that did not change keep what it has queued', async () => {
    let up = false;
    const backend = await grpcSink(() => (up ? undefined : { code: 14, message: 'down' }));
    open.push(backend);
    const path = file(yaml({ backend: backend.port }));
    await using agent = new Program(['--config', path]);
    const addresses = await agent.listening();
    const client = new GrpcClient(portOf(addresses['otlp/grpc']));
    open.push(client);
    for (let i = 0; i < 20; i += 1) await client.export('traces', request('traces', 3, `queued-${i}`));
    writeFileSync(path, yaml({ backend: backend.port, environment: 'blue' }));
    agent.signal('SIGHUP');
    await agent.event('configuration reloaded');
    expect(await metric(addresses.metrics ?? '', 'otelcol_exporter_queue_size')).toBe(20);
    up = true;
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    expect(backend.delivered()).toBe(60);
  });

  it('lets an exporter that changed deliver what it has queued before it ends', async () => {
    let up = false;
    const [old, next] = [await grpcSink(() => (up ? undefined : { code: 14, message: 'down' })), await sink()];
    open.push(old);
    const path = file(yaml({ backend: old.port }));
    await using agent = new Program(['--config', path]);
    const client = new GrpcClient(portOf((await agent.listening())['otlp/grpc']));
    open.push(client);
    for (let i = 0; i < 20; i += 1) await client.export('traces', request('traces', 1, `old-${i}`));
    writeFileSync(path, yaml({ backend: next.port }));
    agent.signal('SIGHUP');
    await agent.event('configuration reloaded');
    await client.export('traces', request('traces', 1, 'new'));
    up = true;
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    expect([old.delivered(), next.delivered()]).toEqual([20, 1]);
  });

  it.each([
    ['is wrong', (port: number) => `${yaml({ backend: port })}nonsense: 1\n`, /nonsense/u],
    ['is no YAML', () => 'receivers: [', /YAML|flow/iu],
    ['wants an address that is taken', (port: number) => yaml({ backend: port, httpPort: port }), /EADDRINUSE/u],
  ])('fails when the new configuration %s, and the old one runs on', async (_name, wrong, reason) => {
    const backend = await sink();
    const path = file(yaml({ backend: backend.port }));
    await using agent = new Program(['--config', path]);
    const addresses = await agent.listening();
    writeFileSync(path, wrong(backend.port));
    agent.signal('SIGHUP');
    expect(await agent.event('configuration not reloaded, the old one runs on')).toMatchObject({
      level: 'error',
      reason: expect.stringMatching(reason),
    });
    const client = new GrpcClient(portOf(addresses['otlp/grpc']));
    open.push(client);
    await client.export('traces', request('traces', 1));
    expect(await metric(addresses.metrics ?? '', 'otlp_agent_config_reloads{result="failure"}')).toBe(1);
    // And its correction is taken.
    writeFileSync(path, yaml({ backend: backend.port, environment: 'blue' }));
    agent.signal('SIGHUP');
    await agent.event('configuration reloaded');
  });

  it("follows a ConfigMap: the folder's ..data symlink is swapped, no signal comes", async () => {
    const backend = await sink();
    const folder = mkdtempSync(join(tmpdir(), 'otlp-configmap-'));
    const version = (name: string, shape: Shape): void => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'agent.yaml'), yaml({ ...shape, interval: '50ms' }));
      symlinkSync(name, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    version('..2026_01', { backend: backend.port });
    symlinkSync('..data/agent.yaml', join(folder, 'agent.yaml'));
    await using agent = new Program(['--config', join(folder, 'agent.yaml')]);
    const addresses = await agent.listening();
    version('..2026_02', { backend: backend.port, environment: 'swapped' });
    await agent.event('configuration reloaded');
    const client = new GrpcClient(portOf(addresses['otlp/grpc']));
    open.push(client);
    await client.export('traces', request('traces', 1));
    agent.signal('SIGTERM');
    await agent.ended;
    expect(backend.received[0]?.body.toString('latin1')).toContain('swapped');
    expect(count(agent, 'configuration reloaded')).toBe(1);
  });
});

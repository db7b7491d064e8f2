import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../../agent/runtime/version.ts';
import { run } from '../../support/run.ts';
import { request } from '../kit/otlp.ts';
import { grpcSink, httpSink } from '../kit/sink.ts';
import { ConsulServer } from '../resolve/consul-server.ts';
import { MINIMAL } from '../support/config.ts';
import { configFile, Program } from '../support/program.ts';

const BUNDLER = fileURLToPath(new URL('../../../agent/build-bundle.mjs', import.meta.url));
const BIN = fileURLToPath(new URL('../../../agent/bin/otlp-agent.js', import.meta.url));
const MAX_BYTES = 2_000_000;

/** A folder without node_modules anywhere above it, as in an image. */
const bundle = join(mkdtempSync(join(tmpdir(), 'otlp-agent-bundle-')), 'otlp-agent.mjs');

/** Runs the bundle, sends it one span, ends it, and gives its books. */
async function delivered(sets: readonly string[]): Promise<object> {
  await using agent = new Program(['--config', configFile(MINIMAL), ...sets.flatMap((set) => ['--set', set])], {}, bundle);
  const { 'otlp/http': http } = await agent.listening();
  const answer = await fetch(`http://${http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Uint8Array.from(request('traces', 1)),
  });
  expect(answer.status).toBe(200);
  agent.signal('SIGTERM');
  expect((await agent.ended).code).toBe(0);
  return await agent.event('drained');
}

/** Reports what V8 takes of what the bundle has compiled. */
const WATCH = `
const vm = require('node:vm');
vm.Script = class extends vm.Script {
  constructor(text, options) {
    super(text, options);
    if (options.cachedData === undefined) return;
    require('node:fs').writeSync(2, (this.cachedDataRejected ? 'refused ' : 'taken ') + options.filename.split(/[\\\\/]/).at(-1) + '\\n');
  }
};`;

/** Starts the bundle with these options of Node until it listens, and gives the names of its compiled chunks. */
async function compiledChunks(options: string): Promise<{ taken: readonly string[]; refused: readonly string[] }> {
  const sets = [
    'receivers.otlp.protocols={grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}',
    'service.telemetry.metrics.level=none',
  ];
  const args = ['--config', configFile(MINIMAL), ...sets.flatMap((set) => ['--set', set])];
  await using agent = new Program(args, { NODE_OPTIONS: `${options}--require ${configFile(WATCH, 'watch.cjs')}` }, bundle);
  await agent.listening();
  agent.signal('SIGTERM');
  const { code, stderr } = await agent.ended;
  expect(code).toBe(0);
  const named = (how: string): readonly string[] =>
    [...stderr.matchAll(new RegExp(`^${how} (.+)$`, 'gm'))].map(([, name]) => name as string);
  return { taken: named('taken'), refused: named('refused') };
}

describe('the bundle', () => {
  beforeAll(async () => {
    const { code, output } = await run(process.execPath, [BUNDLER, bundle]);
    expect(output).toBe('');
    expect(code).toBe(0);
  });

  it('is one file below 2 MB that needs no node_modules', async () => {
    expect(statSync(bundle).size).toBeLessThan(MAX_BYTES);
    expect(await new Program(['--version'], {}, bundle).ended).toEqual({ code: 0, stdout: `otlp-agent version ${VERSION}\n`, stderr: '' });
  });

  it('runs: starts, sends to a backend that is away, drains on SIGTERM', async () => {
    const sets = [
      'receivers.otlp.protocols={grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}',
      'exporters.otlp_grpc.endpoint=127.0.0.1:9',
      'agent.drain_deadline=1ms',
    ];
    const args = [
      '--config',
      configFile(MINIMAL),
      '--set',
      'service.telemetry.metrics.level=none',
      ...sets.flatMap((set) => ['--set', set]),
    ];
    await using agent = new Program(args, {}, bundle);
    const { 'otlp/http': http } = await agent.listening();
    // ResourceSpans with one empty Span: 0a 04 (resource_spans) 12 02 (scope_spans) 12 00 (spans)
    const body = Uint8Array.of(0x0a, 0x04, 0x12, 0x02, 0x12, 0x00);
    const answer = await fetch(`http://${http}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' }, body });
    expect(answer.status).toBe(200);
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    expect(await agent.event('drained')).toMatchObject({ received: 1, accepted: 1, evicted: 1 });
  });

  it.each(['own', 'undici'])('delivers over otlp_http with http1_codec %s', async (codec) => {
    const hop = await httpSink();
    const exporter = { endpoint: `http://127.0.0.1:${hop.port}`, compression: 'none', http1_codec: codec };
    const sets = [
      'receivers.otlp.protocols={grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}',
      `exporters=${JSON.stringify({ otlp_http: exporter })}`,
      'service.pipelines.traces.exporters=[otlp_http]',
      'service.telemetry.metrics.level=none',
    ];
    try {
      expect(await delivered(sets)).toMatchObject({ accepted: 1, sent: 1, evicted: 0 });
      expect(hop.delivered('traces')).toBe(1);
    } finally {
      await hop.close();
    }
  });

  it('finds its upstreams at Consul, whose API it asks by undici', async () => {
    const consul = await ConsulServer.start();
    const hop = await grpcSink();
    consul.put('one', '127.0.0.1', hop.port);
    const balancer = { protocol: { otlp: { tls: { insecure: true } } }, resolver: { consul: { address: consul.url, service: 'otlp' } } };
    const sets = [
      'receivers.otlp.protocols={grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}',
      `exporters=${JSON.stringify({ loadbalancing: balancer })}`,
      'service.pipelines.traces.exporters=[loadbalancing]',
      'service.telemetry.metrics.level=none',
    ];
    try {
      expect(await delivered(sets)).toMatchObject({ accepted: 1, sent: 1, evicted: 0 });
    } finally {
      await hop.close();
      await consul.stop();
    }
  });

  it('starts its workers from the same file', async () => {
    const sets = [
      'agent.workers=2',
      'receivers.otlp.protocols={grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}',
      'exporters.otlp_grpc.endpoint=127.0.0.1:9',
      'agent.drain_deadline=1ms',
      'service.telemetry.metrics.level=none',
    ];
    await using agent = new Program(['--config', configFile(MINIMAL), ...sets.flatMap((set) => ['--set', set])], {}, bundle);
    const { 'otlp/http': http } = await agent.listening();
    expect(await agent.event('workers')).toMatchObject({ workers: 2 });
    // Each over a connection of its own, so that both workers get some.
    const body = Uint8Array.of(0x0a, 0x04, 0x12, 0x02, 0x12, 0x00);
    const headers = { 'content-type': 'application/x-protobuf', connection: 'close' };
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => fetch(`http://${http}/v1/traces`, { method: 'POST', headers, body })),
    );
    expect(answers.map(({ status }) => status)).toEqual(new Array(16).fill(200));
    agent.signal('SIGTERM');
    expect((await agent.ended).code).toBe(0);
    expect(await agent.event('drained')).toMatchObject({ received: 16, accepted: 16, evicted: 16 });
    const evicting = agent.lines().filter(({ msg }) => msg === 'drain deadline reached');
    expect(new Set(evicting.map(({ worker }) => worker))).toEqual(new Set([0, 1]));
  });

  // The second as in a container (lib/stack/agent/agent-memory.ts).
  it.each(['', '--max-old-space-size-percentage=25 ', '--max-old-space-size=300 '])(
    'is not compiled anew at its start: node %s',
    async (options) => {
      expect(await compiledChunks(options)).toEqual({ taken: ['program.js', 'both.js'], refused: [] });
    },
  );

  it('runs all the same where V8 refuses what was compiled, as under other flags', async () => {
    expect(await compiledChunks('--expose-gc ')).toEqual({ taken: [], refused: ['program.js', 'both.js'] });
  });

  it('fails with the same messages', async () => {
    const { code, stderr } = await new Program(['--config', '/no/such/file'], {}, bundle).ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('/no/such/file: there is no such file; give the path of a YAML file [OTLP_CONFIG_SOURCE]'),
    });
  });
});

it('bin/otlp-agent.js runs whatever is built, or the sources', async () => {
  expect(await new Program(['--version'], {}, BIN).ended).toEqual({ code: 0, stdout: `otlp-agent version ${VERSION}\n`, stderr: '' });
});

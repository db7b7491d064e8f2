import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOtlpSink } from '../support/otlp-sink.ts';
import { npm, run } from '../support/run.ts';
import { findNode, promisedMajors } from './nodes.ts';
import { packed } from './packed.ts';

const root = join(import.meta.dirname, '..', '..');
const agent = packed().find(({ name }) => name === 'otlp-stack-agent');
const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-embedded-'));
/** What a program with the OpenTelemetry SDK has anyway. */
const SDK = ['api', 'core', 'sdk-metrics', 'sdk-trace'];

const install = (names: readonly string[]) =>
  npm(['install', '--save-exact', '--no-audit', '--no-fund', '--ignore-scripts', ...names], { cwd: folder });

const SEND = `async function send({ create }) {
  const one = await create({ exporter: { endpoint: process.env.COLLECTOR } });
  const { kind } = await one.sendRaw('traces', Uint8Array.of(0x0a, 0x04, 0x12, 0x02, 0x12, 0x00));
  await one.close();
  process.stdout.write(kind);
}
`;
const PROGRAMS = {
  'send.mjs': `import * as agent from 'otlp-stack-agent';\n${SEND}await send(agent);\n`,
  'send.cjs': `${SEND}send(require('otlp-stack-agent'));\n`,
};

beforeAll(async () => {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'program', private: true }));
  const { code, output } = await install([agent?.tarball ?? 'the agent was not packed']);
  expect(code, output).toBe(0);
  for (const [name, text] of Object.entries(PROGRAMS)) writeFileSync(join(folder, name), text);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a program that installed the packed agent', () => {
  it.each(
    promisedMajors(join(root, 'agent', 'package.json')).flatMap((major) => Object.keys(PROGRAMS).map((name) => [major, name] as const)),
  )('sends on Node %i: %s', async (major, name) => {
    const node = await findNode(major);
    if (node.missing !== undefined) throw new Error(node.missing);
    const sink = await startOtlpSink();
    const ended = await run(node.path, [join(folder, name)], { env: { ...process.env, COLLECTOR: `http://${sink.grpcAddress}` } });
    expect(ended).toEqual({ code: 0, output: 'ok' });
    await sink.close();
  });

  it('fails to load the exporters without the SDK, and says what to install; the agent itself does not need it', async () => {
    const { code, output } = await run(process.execPath, ['-e', "import('otlp-stack-agent/opentelemetry')"], { cwd: folder });
    expect(code).not.toBe(0);
    expect(output).toMatch(/ERR_MODULE_NOT_FOUND.*Cannot find package '@opentelemetry\//);
  });

  it('compiles against its types, as ESM and as CommonJS, when the SDK is there', async () => {
    const pinned = (name: string): string => {
      const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string };
      return `${name}@${version}`;
    };
    const { code, output } = await install([...SDK.map((name) => `@opentelemetry/${name}`), 'typescript', '@types/node'].map(pinned));
    expect(code, output).toBe(0);
    const text = `import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { type AgentConfig, create } from 'otlp-stack-agent';
import { AgentMetricExporter, AgentSpanExporter } from 'otlp-stack-agent/opentelemetry';
const config: AgentConfig = { exporters: { otlp_grpc: { endpoint: 'http://localhost:4317' } }, service: { pipelines: { traces: { exporters: ['otlp_grpc'] } } } };
const agent = create(config);
export const processor = new BatchSpanProcessor({ exporter: new AgentSpanExporter(agent) });
export const reader = new PeriodicExportingMetricReader({ exporter: new AgentMetricExporter(agent) });
`;
    for (const name of ['types.mts', 'types.cts']) writeFileSync(join(folder, name), text);
    const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'], skipLibCheck: false };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.mts', 'types.cts'] }));
    const compiled = await run(process.execPath, [join(folder, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'], { cwd: folder });
    expect(compiled).toEqual({ code: 0, output: '' });
  }, 300_000);
});

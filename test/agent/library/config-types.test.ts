import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { plain } from '../../../agent/config/tree.ts';
import { parseYaml } from '../../../agent/config/yaml.ts';
import { readConfig } from '../../../agent/library/read-config.ts';
import { generate } from '../../../scripts/docs/agent-config-types.mjs';
import { CORPUS_ENVIRONMENT, corpus } from '../support/mutations.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

const files = corpus();
const objects = files.map(({ name, text }) => ({ name, object: objectOf(text) }));

/** The object that a person would write for a file: numbers as JavaScript has them. */
function objectOf(text: string): object {
  const result = parseYaml(text, 'corpus');
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return JSON.parse(
    JSON.stringify(plain(result.node), (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
  ) as object;
}

const folder = mkdtempSync(join(mkdirp(join(ROOT, 'node_modules', '.cache')), 'config-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function mkdirp(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

/** What the compiler says of each text, as the body of a function that knows AgentConfig and create. */
function compile(bodies: readonly string[]): string[][] {
  const paths = bodies.map((body, index) => {
    const path = join(folder, `config-${index}.ts`);
    const head = `import { type AgentConfig, create } from ${JSON.stringify(join(ROOT, 'agent/index.ts'))};\nvoid create;\n`;
    writeFileSync(path, `${head}${body}\n`);
    return path;
  });
  const program = ts.createProgram(paths, {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    exactOptionalPropertyTypes: false,
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    types: ['node'],
  });
  return paths.map((path) => {
    const source = program.getSourceFile(path);
    return program.getSemanticDiagnostics(source).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  });
}

describe('the types of the configuration', () => {
  it('accept every file of the corpus as an object', async () => {
    // As the schemas are now; that the committed file is the same is what `npm run docs -- --check` says.
    const [text = ''] = Object.values(await generate());
    writeFileSync(join(folder, 'fresh.ts'), text);
    const found = compile(
      objects.map(({ object }) => `export const config: import('./fresh.ts').AgentConfig = ${JSON.stringify(object, null, 1)};`),
    );
    expect(objects.flatMap(({ name }, index) => (found[index] as string[]).map((message) => `${name}: ${message}`))).toEqual([]);
  });

  it('complete and check what is written', () => {
    const pipelines = "service: { pipelines: { traces: { exporters: ['otlp_grpc'] } } }";
    const wrong = {
      'an unknown key': `void create({ exporters: { otlp_grpc: { endpont: 'a:1' } }, ${pipelines} });`,
      'an unknown component': `void create({ exporters: { otlp_udp: { endpoint: 'a:1' } }, ${pipelines} });`,
      'a word that is no choice': `void create({ exporters: { otlp_grpc: { compression: 'zip' } }, ${pipelines} });`,
      'text where a number is wanted': `void create({ exporters: { otlp_grpc: { sending_queue: { queue_size: '5' } } }, ${pipelines} });`,
      'a duration without a unit': `void create({ exporters: { otlp_grpc: { timeout: '5' } }, ${pipelines} });`,
      'an unknown signal': "void create({ exporters: {}, service: { pipelines: { spans: { exporters: ['otlp_grpc'] } } } });",
      'a key of the other protocol in the short form':
        "void create({ exporter: { protocol: 'grpc', endpoint: 'a:1', traces_endpoint: 'b' } });",
    };
    const right = [
      `void create({ exporters: { 'otlp_grpc/far': { endpoint: '\${env:FAR}', timeout: '1m30s', sending_queue: { queue_size: '\${env:SIZE}' } } }, ${pipelines} });`,
      "void create({ exporter: { protocol: 'http/protobuf', endpoint: 'http://a:1', traces_endpoint: 'http://b' }, retry: { max_elapsed_time: '0s' }, signals: ['logs'] });",
      "void create('agent.yaml', { who: 'shop', audit: ({ who, signal, items, outcome }) => void [who, signal, items, outcome] });",
    ];
    const found = compile([...right, ...Object.values(wrong)]);
    expect(found.slice(0, right.length)).toEqual(right.map(() => []));
    expect(Object.keys(wrong).filter((_, index) => found[right.length + index]?.length === 0)).toEqual([]);
  });
});

describe('a configuration as an object', () => {
  it.each(objects.map(({ name, object }) => [name, object]))('means the same as the file: %s', (name, object) => {
    const text = files.find((file) => file.name === name)?.text ?? '';
    const environment = CORPUS_ENVIRONMENT;
    const fromFile = load({ configs: [`yaml:${text}`], environment }).settings;
    const { settings } = readConfig(object, environment);
    // The metrics server is the one thing that an embedded agent has only where it is written.
    expect({ ...settings, telemetry: undefined }).toEqual({ ...fromFile, telemetry: undefined });
    const written = 'telemetry' in ((object as { service: object }).service ?? {});
    expect(settings.telemetry).toEqual(written ? settings.telemetry : { ...fromFile.telemetry, metrics: undefined });
  });
});

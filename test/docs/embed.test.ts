/** The programs of docs/how-to/embed.md run against a backend, and its tables are those of the last benchmark. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { type LibraryResult, type MemoryResult, memoryTableOf, tablesOf } from '../bench/library/tables.mjs';
import { startOtlpSink } from '../support/otlp-sink.ts';
import { run } from '../support/run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs/how-to/embed.md'), 'utf8');
const programs = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] as string);

const parent = join(ROOT, 'node_modules', '.cache');
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, 'docs-embed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the programs of docs/how-to/embed.md', () => {
  it('compile against the types that are published', () => {
    const files = programs.map((code, index) => {
      const file = join(folder, `program-${index}.ts`);
      writeFileSync(file, code);
      return file;
    });
    const program = ts.createProgram(files, {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2024.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      allowImportingTsExtensions: true,
      paths: {
        'otlp-stack-agent': [join(ROOT, 'agent/index.ts')],
        'otlp-stack-agent/opentelemetry': [join(ROOT, 'agent/library/opentelemetry/index.ts')],
      },
      types: ['node'],
    });
    const errors = files.flatMap((file) =>
      program.getSemanticDiagnostics(program.getSourceFile(file)).map((one) => ts.flattenDiagnosticMessageText(one.messageText, '\n')),
    );
    expect(errors).toEqual([]);
  });

  it.each([
    ['with the OpenTelemetry SDK', 0, ['GET /cart']],
    ['with bytes', 1, ['hello', 'hello']],
    ['with a configuration and an audit', 2, ['']],
  ] as const)('%s deliver their spans, say nothing and end', async (_name, index, names) => {
    const sink = await startOtlpSink();
    const file = join(folder, `program-${index}.mjs`);
    const { outputText } = ts.transpileModule(programs[index] as string, {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    });
    writeFileSync(file, outputText);
    const ended = await run(process.execPath, [file], { env: { ...process.env, COLLECTOR: `http://${sink.grpcAddress}` } });
    expect(ended).toEqual({ code: 0, output: '' });
    expect(sink.spans().map(({ name }) => name)).toEqual(names);
    await sink.close();
  });
});

describe('the tables of docs/how-to/embed.md', () => {
  const resultOf = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, `test/bench/results/${name}.json`), 'utf8'));
  const result = resultOf('library') as LibraryResult;
  const tables = { ...tablesOf(result), memory: memoryTableOf(resultOf('library-memory') as MemoryResult) };

  it.each(Object.entries(tables))('%s is what the benchmark wrote', (name, table) => {
    expect(page).toContain(`<!-- ${name} -->\n${table}<!-- /${name} -->`);
  });

  it('tell of a run in which the agent lost nothing and the official gRPC exporter sent nothing twice', () => {
    const of = (kind: string): number => result.loss.filter((one) => one.kind.startsWith(kind)).reduce((sum, one) => sum + one.lost, 0);
    expect(of('agent')).toBe(0);
    for (const one of result.loss.filter(({ kind }) => kind === 'official grpc'))
      expect(one).toMatchObject({ twice: 0, lost: expect.toSatisfy((lost: number) => lost > 0) });
  });
});

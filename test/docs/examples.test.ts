/** Every TypeScript program in README and docs compiles against the public types, runs, and prints manifests that the schemas accept. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { validateManifest } from '../support/kubernetes-schemas.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Its programs print no manifests: embed.test.ts runs them. */
const EMBEDDED = 'docs/how-to/embed.md';
const pages = ['README.md', ...markdown(join(ROOT, 'docs'))].filter((page) => page !== EMBEDDED);
const examples = pages.flatMap((page) =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match, index) => ({
    name: `${page} #${index + 1}`,
    code: match[1] as string,
  })),
);

// Inside of the repository, so that packages resolve.
const folder = mkdtempSync(join(mkdirp(join(ROOT, 'node_modules', '.cache')), 'docs-examples-'));
const files = examples.map(({ code }, index) => {
  const file = join(folder, `example-${index}.ts`);
  writeFileSync(file, code);
  return file;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the programs of the documents', () => {
  it('are found', () => {
    expect(examples.length).toBeGreaterThanOrEqual(3);
  });

  it('compile', () => {
    const program = ts.createProgram(files, {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      paths: { 'otlp-stack': [join(ROOT, 'lib/stack/index.ts')], 'otlp-stack-catalog': [join(ROOT, 'lib/catalog/index.ts')] },
      types: ['node'],
      resolveJsonModule: true,
      esModuleInterop: true,
    });
    const errors = ts
      .getPreEmitDiagnostics(program)
      .map((one) => `${one.file ? relative(ROOT, one.file.fileName) : ''}: ${ts.flattenDiagnosticMessageText(one.messageText, '\n')}`);
    expect(errors).toEqual([]);
  });

  describe.each(examples.map(({ name }, index) => [name, index] as const))('%s', (_, index) => {
    const out = join(folder, `dist-${index}`);

    beforeAll(async () => {
      process.env.CDK8S_OUTDIR = out;
      await import(/* @vite-ignore */ files[index] as string);
    });

    it('prints objects that Kubernetes knows', () => {
      const objects = readdirSync(out).flatMap((file) =>
        parseAllDocuments(readFileSync(join(out, file), 'utf8')).map((document) => document.toJS()),
      );
      expect(objects.length).toBeGreaterThan(10);
      for (const object of objects) {
        expect(validateManifest(object)).toEqual([]);
      }
    });
  });
});

function markdown(from: string): string[] {
  return readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => relative(ROOT, join(from, name)))
    .sort();
}

function mkdirp(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

import { join } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { ROOT, scratch } from './scratch.ts';

const TSCONFIG = JSON.stringify({
  compilerOptions: { target: 'es2023', module: 'nodenext', strict: true, types: [] },
  include: ['**/*.ts'],
});

/** The rules of eslint.config.mjs that this text breaks, at this path. */
async function eslint(path: string, text: string): Promise<readonly (string | null)[]> {
  const folder = scratch({ 'tsconfig.json': TSCONFIG, [path]: text });
  const results = await new ESLint({ cwd: folder, overrideConfigFile: join(ROOT, 'eslint.config.mjs') }).lintFiles([path]);
  return results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => ruleId ?? message));
}

async function biome(text: string): Promise<{ code: number; output: string }> {
  const folder = scratch({ 'a.ts': text });
  const program = join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');
  return run(process.execPath, [program, 'check', '--error-on-warnings', '--colors=off', `--config-path=${ROOT}`, join(folder, 'a.ts')], {
    cwd: folder,
  });
}

describe('eslint', () => {
  const later = 'declare function later(): Promise<number>;\n';

  it('accepts a promise that somebody waits for', async () => {
    expect(await eslint('lib/a.ts', `${later}export async function a(): Promise<number> {\n  return await later();\n}\n`)).toEqual([]);
  });

  it.each([
    ['no-floating-promises', 'later();'],
    ['no-misused-promises', 'export const list = [1].filter(async () => true);'],
    ['await-thenable', 'export async function a(): Promise<number> {\n  return await 1;\n}'],
    ['only-throw-error', "export function a(): never {\n  throw 'text';\n}"],
    ['switch-exhaustiveness-check', "export function a(b: 'x' | 'y'): void {\n  switch (b) {\n    case 'x':\n      break;\n  }\n}"],
  ])('fails by %s', async (rule, text) => {
    expect(await eslint('lib/a.ts', `${later}${text}\n`)).toContain(`@typescript-eslint/${rule}`);
  });

  it('fails on process.exit in the agent, main.ts apart', async () => {
    const text = 'declare const process: { exit(code: number): never };\nexport const end = () => process.exit(1);\n';
    expect(await eslint('agent/pipeline.ts', text)).toEqual(['no-restricted-properties']);
    expect(await eslint('agent/main.ts', text)).toEqual([]);
  });
});

describe('biome', () => {
  it('accepts what is formatted', async () => {
    const { code, output } = await biome("export const a = 'a';\n");
    expect(code, output).toBe(0);
  });

  it.each([
    ['an explicit any', 'export const a: any = 1;\n', 'noExplicitAny'],
    ['another format', 'export const a = "a"\n', 'format'],
    ['unsorted imports', "import { b } from './b.ts';\nimport { a } from './a.ts';\n\nexport const c = a + b;\n", 'organizeImports'],
    ['an unused variable', 'const a = 1;\n', 'noUnusedVariables'],
  ])('fails on %s', async (_, text, rule) => {
    const { code, output } = await biome(text);
    expect(code, output).not.toBe(0);
    expect(output).toContain(rule);
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { ROOT, scratch } from './scratch.ts';

const depcruise = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs');

/** The names of the rules that a tree of these files breaks. */
async function broken(files: { readonly [path: string]: string }): Promise<readonly string[]> {
  const folder = scratch({
    'package.json': '{ "name": "scratch", "version": "0.0.0", "devDependencies": { "left-out": "1.0.0" } }',
    'test/tsconfig.json':
      '{ "compilerOptions": { "module": "esnext", "moduleResolution": "bundler", "allowImportingTsExtensions": true, "noEmit": true } }',
    'test/help.ts': "export const help = 'help';\n",
    'lib/stack/index.ts': "export const stack = 'stack';\n",
    'lib/check/index.ts': "export const check = 'check';\nexport interface Finding { readonly rule: string }\n",
    'agent/index.ts': "export const agent = 'agent';\n",
    ...files,
  });
  const { output } = await run(
    process.execPath,
    [depcruise, '--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json', 'lib', 'agent', 'test'],
    {
      cwd: folder,
    },
  );
  const { summary } = JSON.parse(output) as { summary: { violations: readonly { rule: { name: string } }[] } };
  return [...new Set(summary.violations.map(({ rule }) => rule.name))].sort();
}

describe('import directions', () => {
  it('are kept by a tree whose halves know nothing of each other, and tests may import everything', async () => {
    expect(
      await broken({
        'test/all.test.ts': "import '../lib/stack/index.ts';\nimport '../lib/check/index.ts';\nimport '../agent/index.ts';\n",
      }),
    ).toEqual([]);
  });

  it.each([
    ['stack-alone', 'lib/stack/a.ts', "import { check } from '../check/index';\nexport const a = check;\n"],
    ['stack-alone', 'lib/stack/a.ts', "import type { Finding } from '../check/index';\nexport type A = Finding;\n"],
    ['stack-alone', 'lib/stack/a.ts', "import { agent } from '../../agent/index';\nexport const a = agent;\n"],
    ['check-alone', 'lib/check/a.ts', "import { stack } from '../stack/index';\nexport const a = stack;\n"],
    ['agent-alone', 'agent/a.ts', "import { stack } from '../lib/stack/index.ts';\nexport const a = stack;\n"],
    ['agent-alone', 'agent/a.ts', "import { check } from '../lib/check/index.ts';\nexport const a = check;\n"],
    ['catalog-alone', 'lib/catalog/a.ts', "import { check } from '../check/index';\nexport const a = check;\n"],
    ['no-tests-in-programs', 'agent/a.ts', "export { help } from '../test/help.ts';\n"],
  ])('fails by %s where %s says %j', async (rule, path, text) => {
    expect(await broken({ [path]: text })).toContain(rule);
  });

  it('fails on the name of another half, not only on its path', async () => {
    const files = {
      'node_modules/otlp-stack-check/package.json': '{ "name": "otlp-stack-check", "version": "0.1.0", "main": "index.js" }',
      'node_modules/otlp-stack-check/index.js': "exports.check = 'check';\n",
      'lib/stack/package.json': '{ "name": "otlp-stack", "version": "0.1.0", "dependencies": { "otlp-stack-check": "0.1.0" } }',
      'lib/stack/a.ts': "import { check } from 'otlp-stack-check';\nexport const a = check;\n",
    };
    expect(await broken(files)).toContain('stack-alone');
  });

  it('fails on cdk8s outside of the model', async () => {
    const files = {
      'node_modules/cdk8s/package.json': '{ "name": "cdk8s", "version": "2.0.0", "main": "index.js" }',
      'node_modules/cdk8s/index.js': 'exports.App = class {};\n',
      'lib/check/package.json': '{ "name": "otlp-stack-check", "version": "0.1.0", "dependencies": { "cdk8s": "2.0.0" } }',
      'lib/check/a.ts': "import { App } from 'cdk8s';\nexport const a = App;\n",
    };
    expect(await broken(files)).toContain('no-kubernetes-outside-the-model');
  });

  it('fails on a dependency that the workspace does not declare', async () => {
    const files = {
      'node_modules/left-out/package.json': '{ "name": "left-out", "version": "1.0.0", "main": "index.js" }',
      'node_modules/left-out/index.js': 'exports.a = 1;\n',
      'agent/package.json': '{ "name": "otlp-stack-agent", "version": "0.1.0" }',
      'agent/a.ts': "import { a } from 'left-out';\nexport const b = a;\n",
    };
    expect(await broken(files)).toContain('declared');
  });

  it('fails on a cycle, but not on one of types', async () => {
    const cycle = {
      'agent/a.ts': "import { b } from './b.ts';\nexport const a = () => b;\n",
      'agent/b.ts': "import { a } from './a.ts';\nexport const b = () => a;\n",
    };
    expect(await broken(cycle)).toEqual(['no-cycle']);
    const types = { ...cycle, 'agent/b.ts': "import type { a } from './a.ts';\nexport const b = (f: typeof a) => f;\n" };
    expect(await broken(types)).toEqual([]);
  });

  it('fails on an import that leads nowhere', async () => {
    expect(await broken({ 'test/a.test.ts': "import './nowhere.ts';\n" })).toContain('resolvable');
  });
});

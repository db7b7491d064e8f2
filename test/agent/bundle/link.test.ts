import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { fixedExports, link } from '../../../agent/build-link.mjs';
import { run } from '../../support/run.ts';

/** Modules by name; `main.js` is evaluated, each other one that an import() names is a chunk. */
async function linked(modules: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-link-'));
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, name), text);
  const bundle = await rolldown({
    input: { main: join(folder, 'main.js') },
    platform: 'node',
    plugins: [fixedExports()],
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true, chunkFileNames: '[name].js' });
  await bundle.close();
  const file = join(folder, 'linked.mjs');
  writeFileSync(file, link(output, 'main.js'));
  return file;
}

async function outputOf(modules: Readonly<Record<string, string>>): Promise<string> {
  const { code, output } = await run(process.execPath, [await linked(modules)]);
  expect({ code, output }).toMatchObject({ code: 0 });
  return output;
}

describe('chunks in one file', () => {
  it('are evaluated once, when they are asked for, and share what they share', async () => {
    const output = await outputOf({
      'main.js': `import { said } from './shared.js';
        said('main');
        import('./late.js')
          .then(({ late }) => late())
          .then(() => import('./late.js'))
          .then(({ late }) => late())
          .then(() => import('./other.js'))
          .then((other) => other.default());`,
      'late.js': `import { said } from './shared.js'; said('evaluated'); export const late = () => said('late');`,
      'other.js': `import { said } from './shared.js'; export default () => said('other');`,
      'shared.js': `const all = []; export const said = (text) => console.log(all.push(text), text);`,
    });
    expect(output).toBe('1 main\n2 evaluated\n3 late\n4 late\n5 other\n');
  });

  it('keep what would end a comment, what is not ASCII, and what Node gives a module', async () => {
    const output = await outputOf({
      'main.js': `import { basename } from 'node:path';
        import('./late.js').then(({ late }) => console.log(late('a*/b'), basename(import.meta.url)));`,
      'late.js': `export const late = (text) => [/a*/.exec(text)[0], \`\${text}*/\`, 'ü€\\u{1f600}', '/* no comment */'].join(' ');`,
    });
    expect(output).toBe('a a*/b*/ ü€\u{1f600} /* no comment */ linked.mjs\n');
  });

  it('have their names in stacks', async () => {
    const file = await linked({
      'main.js': `import('./late.js').then(({ late }) => late());`,
      'late.js': `export function late() { throw new Error('here'); }`,
    });
    const { code, output } = await run(process.execPath, [file]);
    expect(code).toBe(1);
    expect(output).toContain(`${file}/late.js:1:`);
  });

  it('are compressed where they are late and large, and read as they were', async () => {
    const file = await linked({
      'main.js': `import('./late.js').then(({ text, fail }) => { console.log(text.length, text.endsWith('*/ü€')); fail(); });`,
      'late.js': `export const text = '${'telemetry '.repeat(1000)}*/ü€'; export function fail() { throw new Error('here'); }`,
    });
    expect(statSync(file).size).toBeLessThan(3000);
    const { code, output } = await run(process.execPath, [file]);
    expect(code).toBe(1);
    expect(output).toContain('10004 true');
    expect(output).toContain(`${file}/late.js:1:`);
  });

  it('are the same in a worker thread that starts from the file', async () => {
    const output = await outputOf({
      'main.js': `import { isMainThread, Worker } from 'node:worker_threads';
        if (isMainThread) new Worker(new URL(import.meta.url));
        else import('./late.js').then(({ late }) => console.log(late()));`,
      'late.js': `export const late = () => 'in the worker';`,
    });
    expect(output).toBe('in the worker\n');
  });

  it('fail to be built where an export may change, as an importer would not see it', async () => {
    const modules = {
      'main.js': `import { grow } from './shared.js'; grow(); import('./late.js');`,
      'late.js': `import { count } from './shared.js'; console.log(count);`,
      'shared.js': `export let count = 0; export const grow = () => { count += 1; };`,
    };
    await expect(linked(modules)).rejects.toThrow('count is exported and may change');
  });

  it('fail to be linked where one awaits outside of its functions', async () => {
    await expect(linked({ 'main.js': 'await Promise.resolve(); console.log(1);' })).rejects.toThrow('main.js: await is only valid');
  });

  it('fail to be linked where they import each other', () => {
    const chunk = (fileName: string, imports: readonly string[]): object => ({
      type: 'chunk',
      fileName,
      imports,
      dynamicImports: [],
      code: '',
    });
    expect(() => link([chunk('a.js', ['b.js']), chunk('b.js', ['a.js'])], 'a.js')).toThrow('a.js -> b.js -> a.js');
  });

  it('fail to be linked where one imports what is neither a chunk nor a module of Node', () => {
    const chunk = { type: 'chunk', fileName: 'a.js', imports: ['left-pad'], dynamicImports: [], code: 'import a from "left-pad";' };
    expect(() => link([chunk], 'a.js')).toThrow('neither a chunk nor a module of Node: left-pad');
  });
});

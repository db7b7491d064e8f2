import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { ROOT, scratch } from './scratch.ts';

const lines = (count: number): string => 'export {};\n'.repeat(count);

async function judge(files: { readonly [path: string]: string }): Promise<{ code: number; output: string }> {
  const folder = scratch(files);
  expect((await run('git', ['init', '--quiet'], { cwd: folder })).code).toBe(0);
  return run(process.execPath, [join(ROOT, 'scripts', 'tools', 'file-length.mjs'), folder]);
}

it('accepts 400 lines, and any length of what a script wrote', async () => {
  const { code, output } = await judge({
    'lib/a.ts': lines(400),
    'agent/b.generated.ts': lines(900),
    'lib/catalog/programs/c.ts': lines(900),
  });
  expect(code, output).toBe(0);
});

it('fails on 401 lines and names the file', async () => {
  const { code, output } = await judge({ 'lib/a.ts': lines(401) });
  expect(code).toBe(1);
  expect(output).toContain('lib/a.ts: 401 lines');
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { type Packed, packed } from './packed.ts';

const root = join(import.meta.dirname, '..', '..');
const license = readFileSync(join(root, 'LICENSE'), 'utf8');

async function files({ tarball }: Packed): Promise<readonly string[]> {
  const { code, output } = await run('tar', ['-tzf', tarball]);
  expect(code, output).toBe(0);
  return output
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
}

async function read({ tarball }: Packed, path: string): Promise<string> {
  const { code, output } = await run('tar', ['-xzOf', tarball, `package/${path}`]);
  expect(code, output).toBe(0);
  return output;
}

describe.each(packed())('the tarball of $name', (one) => {
  it('brings the license', async () => {
    expect(await read(one, 'LICENSE')).toBe(license);
  });

  it('brings neither sources nor tests nor what only the compiler needs', async () => {
    const unwanted = (await files(one)).filter(
      (path) => (/\.ts$/.test(path) && !path.endsWith('.d.ts')) || /\.(tsbuildinfo|tgz)$|(^|\/)(test|node_modules)\//.test(path),
    );
    expect(unwanted).toEqual([]);
  });

  it('says the same in package.json as the others: license, repository, oldest Node', async () => {
    const manifest = JSON.parse(await read(one, 'package.json')) as Record<string, unknown>;
    const { engines } = JSON.parse(readFileSync(join(root, 'lib', 'stack', 'package.json'), 'utf8')) as { engines: unknown };
    expect(manifest).toMatchObject({ license: 'Apache-2.0', engines, repository: { type: 'git' } });
  });

  it('depends on exact versions of the others that are packed beside it', async () => {
    const { dependencies = {} } = JSON.parse(await read(one, 'package.json')) as { dependencies?: Record<string, string> };
    for (const other of packed()) {
      if (dependencies[other.name] === undefined) continue;
      const { version } = JSON.parse(await read(other, 'package.json')) as { version: string };
      expect(dependencies[other.name], other.name).toBe(version);
    }
  });
});

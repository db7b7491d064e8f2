import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { findNode, promisedMajors } from './nodes.ts';

const root = join(import.meta.dirname, '..', '..');
const nodes = await Promise.all(promisedMajors(join(root, 'lib', 'stack', 'package.json')).map(findNode));

/** File name -> digest of the bytes. */
function digests(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  );
}

/** Synthesizes with that Node, in a time zone and a locale of its own, and returns the digests of what was printed. */
async function synthesize(node: string): Promise<Record<string, string>> {
  const out = mkdtempSync(join(tmpdir(), 'otlp-stack-determinism-'));
  try {
    const env = { ...process.env, CDK8S_OUTDIR: out, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' };
    const { code, output } = await run(node, [join(root, 'apps', 'cdk8s', 'build', 'main.js')], { cwd: out, env });
    expect(code, output).toBe(0);
    return digests(out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

describe('the reference stack', () => {
  const here = synthesize(process.execPath);

  it('is promised for three Nodes', () => {
    expect(nodes.map(({ major }) => major)).toEqual([22, 24, 26]);
  });

  it('is printed as dist/ has it committed (npm run synth prints it anew)', async () => {
    expect(await here).toEqual(digests(join(root, 'dist')));
  });

  it.for(nodes.filter(({ path }) => path !== process.execPath))(
    'is byte for byte the same on Node $major',
    async ({ path, missing }, { skip }) => {
      if (path === undefined) skip(missing);
      else expect(await synthesize(path)).toEqual(await here);
    },
  );
});

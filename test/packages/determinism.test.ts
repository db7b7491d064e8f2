import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { findNode, promisedMajors } from './nodes.ts';

const root = join(import.meta.dirname, '..', '..');
const nodes = await Promise.all(promisedMajors(join(root, 'lib', 'stack', 'package.json')).map(findNode));
for (const { major, missing } of nodes) {
  if (missing !== undefined) process.stderr.write(`Synth on Node ${major} is skipped: ${missing}\n`);
}

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

describe('the reference stack', () => {
  it('is promised for three Nodes', () => {
    expect(nodes.map(({ major }) => major)).toEqual([22, 24, 26]);
  });

  describe.each(nodes)('synthesized on Node $major', ({ path }) => {
    it.skipIf(path === undefined)('is the committed dist/, byte for byte, in any time zone and locale', async () => {
      const out = mkdtempSync(join(tmpdir(), 'otlp-stack-determinism-'));
      try {
        const env = { ...process.env, CDK8S_OUTDIR: out, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' };
        const { code, output } = await run(path ?? '', [join(root, 'apps', 'cdk8s', 'build', 'main.js')], { cwd: out, env });
        expect(code, output).toBe(0);
        expect(digests(out)).toEqual(digests(join(root, 'dist')));
      } finally {
        rmSync(out, { recursive: true, force: true });
      }
    });
  });
});

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { npm, run } from '../support/run.ts';
import { packed } from './packed.ts';
import { firstExample } from './readme.ts';

const root = join(import.meta.dirname, '..', '..');
/** What a platform engineer has beside us: versions as this repository pins them. */
const BESIDE = ['cdk8s', 'cdk8s-plus-28', 'constructs', 'typescript', '@types/node'];
const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-platform-repo-'));

/** A repository of somebody else: an empty folder, the packed tarballs, the README's first example twice and some programs of ours. */
beforeAll(async () => {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'platform-repo', private: true }));
  const versions = BESIDE.map((name) => `${name}@${pinned(name)}`);
  const { code, output } = await npm(
    ['install', '--save-exact', '--no-audit', '--no-fund', '--ignore-scripts', ...packed().map(({ tarball }) => tarball), ...versions],
    { cwd: folder },
  );
  expect(code, output).toBe(0);
  cpSync(join(import.meta.dirname, 'platform-repo'), folder, { recursive: true });
  const example = firstExample(readFileSync(join(root, 'README.md'), 'utf8'));
  for (const name of ['readme.mts', 'readme.cts', 'readme.ts']) writeFileSync(join(folder, name), example);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pinned(name: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string };
  return version;
}

const tsc = (project: string) =>
  run(process.execPath, [join(folder, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project], { cwd: folder });

/** Runs one of the two compiled examples and returns what it printed, by file name. */
async function synthesize(program: string): Promise<Record<string, string>> {
  const out = join(folder, `dist-${program}`);
  mkdirSync(out);
  const { code, output } = await run(process.execPath, [join(folder, 'build', program)], {
    cwd: folder,
    env: { ...process.env, CDK8S_OUTDIR: out },
  });
  expect(code, output).toBe(0);
  return Object.fromEntries(readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]));
}

describe('a repository that installed the packed tarballs', () => {
  it('compiles the first example of the README under node16 resolution, as ESM and as CommonJS', async () => {
    const { code, output } = await tsc('tsconfig.node16.json');
    expect(code, output).toBe(0);
  });

  it('compiles it under bundler resolution', async () => {
    const { code, output } = await tsc('tsconfig.bundler.json');
    expect(code, output).toBe(0);
  });

  it('runs it from ESM and from CommonJS with the same result', async () => {
    expect((await tsc('tsconfig.node16.json')).code).toBe(0);
    const esm = await synthesize('readme.mjs');
    const cjs = await synthesize('readme.cjs');
    expect(cjs).toEqual(esm);
    const objects = Object.values(esm).flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as { kind: string }));
    expect(objects.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Deployment', 'Service', 'NetworkPolicy', 'ConfigMap']));
  });

  it.each(['libraries.mjs', 'libraries.cjs'])('imports every library by name: %s', async (program) => {
    const { code, output } = await run(process.execPath, [join(folder, 'build', program)], { cwd: folder });
    expect(code, output).toBe(0);
    expect(JSON.parse(output)).toEqual({ findings: 0, agent: 'function', catalog: true });
  });

  it.each(['otlp-stack', 'otlp-agent', 'otlp-sample-service'])('starts the program %s', async (bin) => {
    const { code, output } = await npm(['exec', '--offline', '--', bin, '--help'], { cwd: folder });
    expect(code, output).toBe(0);
    expect(output).toContain('--help');
  });
});

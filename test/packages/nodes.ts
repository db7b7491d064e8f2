import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NODE_PACKAGES } from '../../scripts/bootstrap.mjs';
import { npm, run } from '../support/run.ts';

/** Outside of the tree: a Node is 100 MB, and `npm ci` would throw it away. */
const CACHE = process.env.OTLP_STACK_NODE_CACHE ?? join(homedir(), '.cache', 'otlp-stack-nodes');

/** Either the path of a Node of that major version, or the words that say why there is none. */
export type FoundNode =
  | { readonly major: number; readonly path: string; readonly missing?: undefined }
  | { readonly major: number; readonly path?: undefined; readonly missing: string };

/** The newest Node of a major version, from npm (a package that is nothing but the binary), fetched once. */
export async function findNode(major: number): Promise<FoundNode> {
  if (process.versions.node.startsWith(`${major}.`)) return { major, path: process.execPath };
  const platform = `${process.platform}-${process.arch}`;
  const name = (NODE_PACKAGES as Record<string, string | undefined>)[platform];
  if (name === undefined) return { major, missing: `npm has no Node for ${platform}` };
  const folder = join(CACHE, `${major}`);
  const path = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
    const { code, output } = await npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save', `${name}@${major}`], {
      cwd: folder,
    });
    if (code !== 0 || !existsSync(path)) return { major, missing: `npm install ${name}@${major} failed: ${lastLine(output)}` };
  }
  const { output } = await run(path, ['--version']);
  if (!output.startsWith(`v${major}.`)) return { major, missing: `${path} answers ${lastLine(output)} to --version` };
  return { major, path };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** The majors that the package promises: those from `engines` on that are even, up to the one of this repository. */
export function promisedMajors(manifest: string): readonly number[] {
  const { engines } = JSON.parse(readFileSync(manifest, 'utf8')) as { engines: { node: string } };
  const oldest = Number(/^>=(\d+)/.exec(engines.node)?.[1]);
  const newest = Number(process.versions.node.split('.')[0]);
  return Array.from({ length: newest - oldest + 1 }, (_, index) => oldest + index).filter((major) => major % 2 === 0);
}

/**
 * `npm run docs`: runs every generator of scripts/docs/. Each is a module with `export async function generate()` that resolves to the
 * files it makes: `{ 'docs/reference/props.md': 'text' }`. `npm run docs -- --check` writes nothing and fails where a file differs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';

await enter(import.meta.url);
if (!(await build())) process.exit(1);

const check = process.argv.includes('--check');
const folder = join(ROOT, 'scripts', 'docs');
const generators = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(mjs|ts)$/.test(name)) : [];
const different = [];
const owners = new Map();
let files = 0;

for (const name of generators.sort()) {
  const { generate } = await import(pathToFileURL(join(folder, name)).href);
  // A module without `generate` is a helper of the others.
  if (generate === undefined) continue;
  for (const [path, text] of Object.entries(await generate())) {
    if (owners.has(path)) throw new Error(`${path} is written by scripts/docs/${owners.get(path)} and by scripts/docs/${name}`);
    owners.set(path, name);
    files += 1;
    if (read(path) === text) continue;
    different.push(path);
    if (!check) write(path, text);
  }
}

if (check && different.length > 0) {
  process.stderr.write(
    `These files differ from what their generators make; run \`npm run docs\`:\n${different.map((path) => `  ${path}\n`).join('')}`,
  );
  process.exit(1);
}
process.stdout.write(`${files} generated files, ${different.length} ${check ? 'different' : 'written'}\n`);

function read(path) {
  const absolute = join(ROOT, path);
  return existsSync(absolute) ? readFileSync(absolute, 'utf8') : undefined;
}

function write(path, text) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), text);
}

/** test/bench/results/: one JSON file for each bench, the only place where a number in a document comes from. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'results');

/** @param to another file, for looking @default test/bench/results/NAME.json */
export function writeResult(name, result, to = join(FOLDER, `${name}.json`)) {
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`written: ${to}`);
}

/** undefined where that bench was never run. */
export function readResult(name) {
  const path = join(FOLDER, `${name}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

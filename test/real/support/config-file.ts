import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

/** Writes a file below the folder, making the folders between, and returns its path. Objects become YAML, text stays as it is. */
export function writeConfig(folder: string, name: string, content: object | string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : stringify(content, { lineWidth: 0 }));
  return file;
}

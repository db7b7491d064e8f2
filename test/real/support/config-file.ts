import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

/**
 * Writes a file below the folder, making the folders between, and returns its path. Objects become YAML, text stays as it is. YAML 1.1, as
 * Go's readers take `2006-01-02` for a date and `no` for false unless they are quoted.
 */
export function writeConfig(folder: string, name: string, content: object | string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : stringify(content, { lineWidth: 0, version: '1.1' }));
  return file;
}

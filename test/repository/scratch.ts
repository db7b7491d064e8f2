import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The root of this repository. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** A folder with these files, gone when the test has finished. */
export function scratch(files: { readonly [path: string]: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-repository-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

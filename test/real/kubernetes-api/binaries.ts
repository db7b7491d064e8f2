import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where the real lane builds its programs; `OTLP_REAL_CACHE` moves it. */
export const REAL_CACHE = process.env.OTLP_REAL_CACHE ?? join(homedir(), '.cache', 'otlp-stack-real');

/** The path of a program that the real lane builds, or undefined where it was not built. */
export function realBinary(name: string): string | undefined {
  const path = join(REAL_CACHE, 'bin', name);
  return existsSync(path) ? path : undefined;
}

/** The programs of the list that are missing here, for the words of a skipped test. */
export function missingBinaries(...names: string[]): string[] {
  return names.filter((name) => realBinary(name) === undefined);
}

/** The Go command: from PATH, or the place where its installer puts it; undefined where there is none. */
export function goCommand(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin'];
  return folders.map((folder) => join(folder, 'go')).find((path) => existsSync(path));
}

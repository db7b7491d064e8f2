import { readFileSync } from 'node:fs';

/** Of the package; both `main.ts` and `build/main.js` find package.json one of two levels up. */
export const VERSION: string = read('./package.json') ?? read('../package.json') ?? '0.0.0';

function read(path: string): string | undefined {
  try {
    return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
  } catch {
    return undefined;
  }
}

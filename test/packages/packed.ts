import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One tarball of `npm run packages`, exactly as npm would publish it. */
export interface Packed {
  readonly name: string;
  readonly tarball: string;
}

/** All tarballs. Throws outside of `npm run packages`, which makes them. */
export function packed(): readonly Packed[] {
  const folder = process.env.OTLP_STACK_PACKED;
  if (folder === undefined) throw new Error('these tests read packed tarballs: start them with `npm run packages`');
  return JSON.parse(readFileSync(join(folder, 'packed.json'), 'utf8')) as Packed[];
}

/** Packages that only bring a program: no module to import, hence no types to judge. */
export const PROGRAMS: readonly string[] = ['otlp-stack-cli', 'otlp-stack-sample-service'];

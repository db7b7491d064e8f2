import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { OtlpStack, Profile } from 'otlp-stack';
import { readSnapshot, type Snapshot } from 'otlp-stack-check';

/** A stack as files. */
export interface PrintedStack {
  readonly profile: 'production' | 'development';
  readonly files: readonly string[];
}

/** Where the committed reference stack is. OTLP_STACK_DIST names another folder, to look at a stack that is not committed yet. */
const DIST = process.env.OTLP_STACK_DIST ?? join(import.meta.dirname, '..', '..', 'dist');

/**
 * The reference stack as it is committed, and the development profile, which is printed anew: what is true of one has to be true of the other.
 *
 * @throws Error where dist/ is missing
 */
export function printedStacks(): PrintedStack[] {
  const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'otlp-stack-development-')) });
  new OtlpStack(app, 'otlp', { profile: Profile.DEVELOPMENT });
  app.synth();
  return [
    { profile: 'production', files: manifestsIn(DIST) },
    { profile: 'development', files: manifestsIn(app.outdir) },
  ];
}

/** What otlp-stack-check reads in a printed stack. */
export function snapshotOf({ files }: PrintedStack): Snapshot {
  return readSnapshot(files);
}

function manifestsIn(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.yaml')) : [];
  if (files.length === 0) throw new Error(`no manifest in ${folder}: print the stack with \`npm run synth\``);
  return files.sort().map((file) => join(folder, file));
}

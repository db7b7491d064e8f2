import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { Autoscaling, OtlpStack, Profile, Queue } from 'otlp-stack';
import { readSnapshot, type Snapshot } from 'otlp-stack-check';

/** A stack as files. */
export interface PrintedStack {
  readonly profile: string;
  readonly files: readonly string[];
}

/** Where the committed reference stack is. OTLP_STACK_DIST names another folder, to look at a stack that is not committed yet. */
const DIST = process.env.OTLP_STACK_DIST ?? join(import.meta.dirname, '..', '..', 'dist');

/** What is not committed, and printed anew: what is true of the reference stack has to be true of these. */
const OTHERS: { readonly [profile: string]: (app: App) => void } = {
  development: (app) => {
    new OtlpStack(app, 'otlp', { profile: Profile.DEVELOPMENT });
  },
  'other choices': (app) => {
    new OtlpStack(app, 'otlp', { service: { autoscaling: Autoscaling.hpa() }, gateway: { queue: Queue.disk() }, prometheusOperator: {} });
  },
};

/**
 * The reference stack as it is committed, and what else it can be: the development profile, and one with the other choices (HPA, queue on disk,
 * monitors of the Prometheus operator).
 *
 * @throws Error where dist/ is missing
 */
export function printedStacks(): PrintedStack[] {
  const others = Object.entries(OTHERS).map(([profile, print]) => {
    const app = new App({ outdir: mkdtempSync(join(tmpdir(), 'otlp-stack-printed-')) });
    print(app);
    app.synth();
    return { profile, files: manifestsIn(app.outdir) };
  });
  return [{ profile: 'production', files: manifestsIn(DIST) }, ...others];
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

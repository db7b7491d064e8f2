/** `npm run synth`: builds, and prints the reference stack into dist/, which changes only when everything went well. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';
import { node } from './tools/process.mjs';

await enter(import.meta.url);
if (!(await build('apps/cdk8s'))) process.exit(1);

const fresh = mkdtempSync(join(tmpdir(), 'otlp-stack-synth-'));
try {
  const app = join(ROOT, 'apps', 'cdk8s', 'build', 'main.js');
  const code = await node([app, ...process.argv.slice(2)], { env: { ...process.env, CDK8S_OUTDIR: fresh } });
  if (code === 0) {
    rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
    cpSync(fresh, join(ROOT, 'dist'), { recursive: true });
    process.stdout.write(`dist/: ${readdirSync(fresh).length} files\n`);
  }
  process.exitCode = code;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

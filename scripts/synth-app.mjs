/** The app of cdk8s.yaml, so that `npx cdk8s synth` works on a fresh checkout: builds first, then prints into the folder that cdk8s names. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';

await enter(import.meta.url);
if (!(await build('apps/cdk8s'))) process.exit(1);
await import(pathToFileURL(join(ROOT, 'apps', 'cdk8s', 'build', 'main.js')).href);

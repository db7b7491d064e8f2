/** `npm start`: install, build, synthesize into dist/, then rehearse what was printed. Arguments after `--` go on: `npm start -- --keep`. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';

await enter(import.meta.url);
process.stderr.write('Building (the first time takes half a minute)\n');
if (!(await build())) process.exit(1);

// In this process, so that ^C and SIGTERM reach the rehearsal itself and not a shell around it.
process.chdir(ROOT);
const main = join(ROOT, 'apps', 'cli', 'build', 'main.js');
process.argv.splice(1, 1, main, 'start');
await import(pathToFileURL(main).href);

/**
 * `npm run faults`: storms against the built agent, seeds printed, bounded in time; what must hold is told in test/faults/run.mjs.
 * `npm run faults -- --seconds 600 --seed 7 --storm floods --record`
 */
import { join } from 'node:path';
import { enter, ROOT } from './bootstrap.mjs';
import { build } from './build.mjs';
import { node } from './tools/process.mjs';

await enter(import.meta.url);
process.exitCode = (await build()) ? await node([join(ROOT, 'test', 'faults', 'run.mjs'), ...process.argv.slice(2)]) : 1;

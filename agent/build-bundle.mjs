/**
 * `node build-bundle.mjs [FILE] [--names | --no-compiled]`: bundles the program into build/otlp-agent.mjs (or FILE): one file that an image can hold without node_modules, and that starts faster.
 * With --names nothing is minified or cut into chunks, and a source map is written beside it: profiles show the functions by their names (npm run profile).
 * With --no-compiled it holds nothing of V8 (build-compiled.mjs): the same bytes each time, and the same on every machine.
 * rolldown, as esbuild's ESM output breaks pino (dynamic require of Node modules).
 */
import { statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { compiledBy } from './build-compiled.mjs';
import { late } from './build-late.mjs';
import { lean } from './build-lean.mjs';
import { fixedExports, link } from './build-link.mjs';

const names = process.argv.includes('--names');
const file =
  process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? fileURLToPath(new URL('./build/otlp-agent.mjs', import.meta.url));
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** One file below this, so that an image layer and a cold start stay small. */
const MAX_BYTES = 2_000_000;

/**
 * Whatever is evaluated at each start is in one chunk of three: what main.ts needs to see whether it is a worker thread, what the program
 * and its worker threads both need, and what only the program needs (command line, configuration). rolldown alone would cut it by who
 * shares what, into some fifty.
 */
class Starts {
  #main = new Set();
  #program = new Set();
  #both = new Set();

  plugin() {
    const starts = this;
    return {
      name: 'starts',
      buildEnd() {
        const reach = (path) => {
          const reached = new Set([here(path)]);
          for (const id of reached) for (const next of this.getModuleInfo(id)?.importedIds ?? []) reached.add(next);
          return reached;
        };
        const worker = reach('./workers/worker.ts');
        starts.#program = reach('./commands/program.ts');
        starts.#main = reach('./main.ts');
        starts.#both = starts.#program.intersection(worker);
      },
    };
  }

  chunkOf(id) {
    if (this.#main.has(id)) return 'main';
    return this.#both.has(id) ? 'both' : this.#program.has(id) ? 'program' : null;
  }
}

/** Evaluated by each start, in the main thread and (both.js) in worker threads. */
const STARTS = ['both.js', 'program.js'];
const starts = new Starts();
const bundle = await rolldown({
  input: { main: here('./main.ts') },
  platform: 'node',
  plugins: [late({ inline: names }), lean(), starts.plugin(), ...(names ? [] : [fixedExports()])],
  logLevel: 'warn',
  // A slow machine is no reason to say something.
  checks: { bundlerTimings: false },
  // pino's transports run in worker threads from files of their own; the agent writes to a stream and needs none of them.
  onLog(level, log, handler) {
    if (log.code !== 'EVAL') handler(level, log);
  },
});
if (names) await bundle.write({ file, format: 'esm', sourcemap: true, codeSplitting: false });
else {
  const codeSplitting = { groups: [{ name: (id) => starts.chunkOf(id), debugName: 'by start' }] };
  const { output } = await bundle.generate({ format: 'esm', minify: true, chunkFileNames: '[name].js', codeSplitting });
  const linked = (compiled) => writeFileSync(file, link(output, 'main.js', STARTS, compiled));
  linked();
  if (!process.argv.includes('--no-compiled')) linked(await compiledBy(file, STARTS));
}
await bundle.close();

const { size } = statSync(file);
if (size > MAX_BYTES && !names) {
  process.stderr.write(`${file} has ${size} bytes, more than ${MAX_BYTES}\n`);
  process.exit(1);
}

/**
 * `node build-bundle.mjs [FILE] [--names]`: bundles the program into build/otlp-agent.mjs (or FILE): one file that an image can hold without node_modules, and that starts faster.
 * With --names nothing is minified, and a source map is written beside it: profiles show the functions by their names (npm run profile).
 * rolldown, as esbuild's ESM output breaks grpc-js and pino (dynamic require of Node modules).
 */
import { statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { lean } from './build-lean.mjs';

const names = process.argv.includes('--names');
const file =
  process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? fileURLToPath(new URL('./build/otlp-agent.mjs', import.meta.url));
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** One file below this, so that an image layer and a cold start stay small. */
const MAX_BYTES = 2_000_000;

const bundle = await rolldown({
  input: here('./main.ts'),
  platform: 'node',
  plugins: [lean()],
  logLevel: 'warn',
  // pino's transports run in worker threads from files of their own; the agent writes to a stream and needs none of them.
  onLog(level, log, handler) {
    if (log.code !== 'EVAL') handler(level, log);
  },
});
const { output } = await bundle.write({ file, format: 'esm', minify: !names, sourcemap: names, codeSplitting: false });
await bundle.close();
// V8 keeps and parses a text with characters beyond Latin-1 as two bytes each, and Node decodes plain ASCII fastest; all of the others are in
// texts and patterns.
if (!names)
  writeFileSync(
    file,
    output[0].code.replace(/[^\0-\x7f]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );

const { size } = statSync(file);
if (size > MAX_BYTES && !names) {
  process.stderr.write(`${file} has ${size} bytes, more than ${MAX_BYTES}\n`);
  process.exit(1);
}

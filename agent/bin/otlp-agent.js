#!/usr/bin/env node
// Committed, as npm links no program of a workspace whose file is a build output. Runs the bundle where it was built, what tsc made
// otherwise, and in a checkout that was never built the sources (Node 22.18 or newer strips their types).
import { existsSync } from 'node:fs';

const candidates = ['../build/otlp-agent.mjs', '../build/main.js', '../main.ts'].map((path) => new URL(path, import.meta.url));
const program = candidates.find((url) => existsSync(url));
if (program === undefined) {
  process.stderr.write('otlp-agent: the package has no build; run `npm run build` in the repository\n');
  process.exit(70);
}
await import(program.href);

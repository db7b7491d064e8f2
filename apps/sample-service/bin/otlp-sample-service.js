#!/usr/bin/env node
// Runs the build when there is one, else the TypeScript source (Node >= 22.19 strips the types).
import { existsSync } from 'node:fs';

const built = new URL('../build/main.js', import.meta.url);
const source = new URL('../main.ts', import.meta.url);
await import((existsSync(built) ? built : source).href);

import { fileURLToPath } from 'node:url';
import { startChild as start } from '../lib/child.mjs';

/** A program of this folder that says hello and then answers one message at a time. */
export function startChild(script, argv = []) {
  return start(fileURLToPath(new URL(script, import.meta.url)), { argv });
}

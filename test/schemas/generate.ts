/**
 * Writes the closed JSON schemas beside this file: `node test/schemas/generate.ts`. They are facts of the versions that the folders name; the
 * real lane makes them again and compares. A version change means: run this, read the diff.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startApiServer } from '../real/support/api-server.ts';
import { generateSchemas } from './schemas.ts';

const server = await startApiServer();
try {
  for (const [file, text] of await generateSchemas(server)) {
    const path = join(import.meta.dirname, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.log(`${path}: ${text.length} bytes`);
  }
} finally {
  await server.stop();
}

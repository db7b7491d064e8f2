import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { PROGRAMS, packed } from './packed.ts';

const attw = join(dirname(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')), 'dist', 'index.js');
/** ESM only: CommonJS users reach it by `import()`, or by `require` on every Node that we support. */
const ESM_ONLY = ['otlp-stack-agent'];

describe.each(packed())('$name', ({ tarball }) => {
  it('has nothing that publint complains about, suggestions included', async () => {
    const bytes = readFileSync(tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer },
      level: 'suggestion',
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });
});

describe.each(packed().filter(({ name }) => !PROGRAMS.includes(name)))('the types of $name', ({ name, tarball }) => {
  it('are the right ones from CommonJS, ESM and bundlers', async () => {
    const profile = ESM_ONLY.includes(name) ? 'esm-only' : 'node16';
    const { code, output } = await run(process.execPath, [
      attw,
      tarball,
      '--profile',
      profile,
      '--format',
      'ascii',
      '--no-color',
      '--no-emoji',
    ]);
    expect(code, output).toBe(0);
    expect(output).toContain('node16 (from ESM): OK');
  });
});

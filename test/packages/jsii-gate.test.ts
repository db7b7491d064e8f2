import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run } from '../support/run.ts';

const gate = join(import.meta.dirname, '..', '..', 'scripts', 'jsii-gate.mjs');

it('the public API of lib/stack is fit for the other languages of jsii', async () => {
  const { code, output } = await run(process.execPath, [gate]);
  expect(code, output).toBe(0);
  expect(output).toMatch(/^jsii: [1-9]\d* public types, 0 not fit/m);
});

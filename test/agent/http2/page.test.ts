import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { H2SPEC_FAILS, H2SPEC_NODE_MAY_FAIL } from '../../real/h2spec.exceptions.ts';

/** docs/reference/http2.md is written by hand; what of it can drift is held against its source here. */

const page = readFileSync('docs/reference/http2.md', 'utf8');

it('the page names every kind of error that the codec counts', () => {
  const header = /^\/\*\*[\s\S]*?\*\//.exec(readFileSync('agent/http2/limits.ts', 'utf8'))?.[0] ?? '';
  const kinds = new Set(header.match(/\b[a-z]+_(?:flood|size|unread|reset|stream|request|control|closed|timeout)\b/g));
  expect(kinds.size).toBeGreaterThan(10);
  for (const kind of kinds) expect(page).toContain(`\`${kind}\``);
});

it('the page names the tests of h2spec that fail, and no more', () => {
  const failing = [...Object.keys(H2SPEC_FAILS.node), ...H2SPEC_NODE_MAY_FAIL];
  expect([...page.matchAll(/^\| (http2\/[^|]*?) \|/gm)].map(([, name]) => name)).toEqual(failing);
  expect(H2SPEC_FAILS.own).toEqual({});
});

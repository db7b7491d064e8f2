import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { generate } from '../../../scripts/docs/otlp-statements.mjs';
import { COLLECTOR_NOTES } from '../../real/statements/notes.ts';
import { readResults } from '../../real/statements/record.ts';
import { bodyOf } from './bodies.ts';
import { STATEMENTS } from './statements.ts';

const PAGE = 'docs/reference/otlp.md';
const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

it('there are 41 statements, numbered without a gap, each with a test in the file that it names', () => {
  expect(STATEMENTS.map((one) => one.number)).toEqual(Array.from({ length: 41 }, (_, i) => i + 1));
  for (const { number, file } of STATEMENTS) {
    expect(bodyOf(number)).toBeTypeOf('function');
    expect(readFileSync(root(`test/agent/statements/${file}`), 'utf8')).toMatch(new RegExp(`^  ${number}: async `, 'm'));
  }
});

it('the record has every statement, and the agent fails none', () => {
  const { statements } = readResults();
  for (const { number } of STATEMENTS) {
    expect(statements[number]?.agent, String(number)).toEqual({ result: 'passed' });
    expect(['passed', 'failed']).toContain(statements[number]?.collector.result);
  }
});

it('every failure of the Collector is explained, and nothing else', () => {
  const failed = Object.entries(readResults().statements).filter(([, { collector }]) => collector.result === 'failed');
  expect(Object.keys(COLLECTOR_NOTES)).toEqual(failed.map(([number]) => number));
});

it(`${PAGE} is what the statements and the record make`, async () => {
  const files = (await generate()) as Record<string, string>;
  expect(readFileSync(root(PAGE), 'utf8')).toBe(files[PAGE]);
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expandTree } from '../../../agent/config/expand.ts';
import type { Notice, Problem } from '../../../agent/config/problems.ts';
import { Expanded, plain } from '../../../agent/config/tree.ts';
import { parseYaml } from '../../../agent/config/yaml.ts';

function expand(text: string, environment: Readonly<Record<string, string>> = {}) {
  const problems: Problem[] = [];
  const notices: Notice[] = [];
  const parsed = parseYaml(text, 'agent.yaml');
  if ('problems' in parsed || parsed.node.kind !== 'map') throw new Error('no map');
  const root = expandTree(parsed.node, { environment, problems, notices });
  return { value: plain(root) as Record<string, unknown>, problems, notices };
}

const reference = (inner: string): string => `\${${inner}}`;

describe('references in values', () => {
  it('gives a whole value its YAML type and keeps its text for keys that want text', () => {
    const { value } = expand(`a: ${reference('env:N')}\nb: ${reference('N')}`, { N: '0123' });
    expect(value.a).toEqual(new Expanded(83n, '0123'));
    expect(value.b).toEqual(new Expanded(83n, '0123'));
  });

  it('puts text into longer text', () => {
    expect(expand(`a: http://${reference('env:HOST')}:${reference('env:PORT:-4318')}/`, { HOST: 'gw' }).value.a).toBe('http://gw:4318/');
  });

  it('gives a whole value of text as it is, quotes included', () => {
    expect(expand(`a: ${reference('env:Q')}`, { Q: '"x"' }).value.a).toBe('"x"');
  });

  it('makes maps and lists of YAML in a variable', () => {
    const { value } = expand(`a: ${reference('env:M')}`, { M: '{b: [1, two]}' });
    expect(value.a).toEqual(new Expanded({ b: [1n, 'two'] }, '{b: [1, two]}'));
  });

  it('expands what came out of a reference, and references inside of references', () => {
    const { value } = expand(`a: ${reference('env:OUTER')}\nb: ${reference(`env:${reference('env:NAME')}`)}`, {
      OUTER: `x-${reference('env:INNER')}`,
      INNER: 'y',
      NAME: 'INNER',
    });
    expect(value).toEqual({ a: 'x-y', b: 'y' });
  });

  it('reads files and YAML text', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'otlp-agent-expand-')), 'token');
    writeFileSync(file, 'secret');
    expect(expand(`a: ${reference(`file:${file}`)}\nb: ${reference('yaml:[1]')}`).value).toEqual({
      a: 'secret',
      b: new Expanded([1n], '[1]'),
    });
  });

  it('reads $$ as a dollar sign and leaves an escaped reference alone', () => {
    expect(expand(`a: 5$$\nb: $${reference('env:HOST')}`, { HOST: 'gw' }).value).toEqual({ a: '5$', b: reference('env:HOST') });
  });

  it('notes a variable that is not set; its place is empty', () => {
    const { value, notices, problems } = expand(`a: ${reference('env:MISSING')}\nb: x${reference('MISSING')}`);
    expect(value).toEqual({ a: new Expanded(null, ''), b: 'x' });
    expect(notices.map(({ path, message }) => [path, message])).toEqual([
      [['a'], 'the environment variable MISSING is not set; its place is empty'],
      [['b'], 'the environment variable MISSING is not set; its place is empty'],
    ]);
    expect(problems).toEqual([]);
  });

  it.each([
    ['NAME:-default', 'the scheme "NAME" is not supported, only env, file and yaml; a default is written ${env:NAME:-default}'],
    ['http://x', 'the scheme "http" is not supported, only env, file and yaml'],
    ['env:1BAD', '"1BAD" is no name of an environment variable'],
    ['file:/no/such/file', '/no/such/file: there is no such file'],
  ])('fails on %s', (inner, message) => {
    const { problems } = expand(`a:\n  b: ${reference(inner)}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'OTLP_CONFIG_EXPAND', path: ['a', 'b'], origin: { line: 2 } });
    expect(problems[0]?.message).toContain(message);
  });

  it('fails on a value that expands to itself without end', () => {
    const { problems } = expand(`a: ${reference('env:LOOP')}`, { LOOP: reference('env:LOOP') });
    expect(problems[0]?.message).toContain('expands to itself without end');
  });
});

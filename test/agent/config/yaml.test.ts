import { describe, expect, it } from 'vitest';
import { type ConfigNode, originAt, plain } from '../../../agent/config/tree.ts';
import { parseYaml, plainScalar } from '../../../agent/config/yaml.ts';

function read(text: string): ConfigNode {
  const result = parseYaml(text, 'agent.yaml');
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.node;
}

function problems(text: string): string[] {
  const result = parseYaml(text, 'agent.yaml');
  return 'problems' in result ? result.problems.map(({ message, origin }) => `${origin.line}: ${message}`) : [];
}

describe('YAML as the Collector reads it', () => {
  it.each([
    ['', null],
    ['~', null],
    ['null', null],
    ['true', true],
    ['FALSE', false],
    ['yes', 'yes'],
    ['on', 'on'],
    ['12', 12n],
    ['-7', -7n],
    ['1_000', 1000n],
    ['0777', 511n],
    ['0o17', 15n],
    ['0x1F', 31n],
    ['0b101', 5n],
    ['9223372036854775807', 9_223_372_036_854_775_807n],
    ['1.0', 1],
    ['1e3', 1000],
    ['.5', 0.5],
    ['.inf', Number.POSITIVE_INFINITY],
    ['5s', '5s'],
    ['1.2.3', '1.2.3'],
    ['0.0.0.0:4317', '0.0.0.0:4317'],
    ['08', 8],
    ['-', '-'],
  ])('reads the plain scalar %j', (text, value) => {
    expect(plainScalar(text)).toEqual(value);
  });

  it('reads an unquoted date as a date, which no key wants', () => {
    expect(plainScalar('2026-01-31')).toEqual(new Date('2026-01-31'));
    expect(plain(read('"2026-01-31"'))).toBe('2026-01-31');
  });

  it('cuts keys at :: and joins what belongs together', () => {
    expect(plain(read('a::b: 1\na::c: 2\nd:\n  e::f: 3\n'))).toEqual({ a: { b: 1n, c: 2n }, d: { e: { f: 3n } } });
  });

  it('leaves :: alone in places of a list', () => {
    expect(plain(read('a:\n  - x::y: 1\n'))).toEqual({ a: [{ 'x::y': 1n }] });
  });

  it('follows anchors and merge keys; what the map says itself wins', () => {
    expect(plain(read('a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n'))).toEqual({ a: { x: 1n, y: 2n }, b: { x: 1n, y: 3n } });
  });

  it('remembers where each key was written', () => {
    const root = read('a:\n  b: 1\n\n  c:\n    - x\n    - y\n');
    expect(originAt(root, ['a', 'c', 1])).toEqual({ source: 'agent.yaml', line: 6, column: 7 });
    expect(originAt(root, ['a', 'nothing'])).toMatchObject({ line: 1 });
  });

  it('keeps __proto__ a key like any other', () => {
    expect(Object.keys(plain(read('__proto__: 1\n')) as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });

  it('fails on a key that is there twice and names both lines', () => {
    expect(problems('a: 1\nb: 2\na: 3\n')).toEqual(['3: the key "a" is there twice in one map; the first is on line 1']);
  });

  it('fails on a key that is no text', () => {
    expect(problems('a: 1\n2: b\n')).toEqual(['2: a key must be text; put it in quotes']);
  });

  it('fails on a merge key that joins no map', () => {
    expect(problems('a:\n  <<: 1\n')).toEqual(['2: << joins maps only']);
  });

  it('fails on an alias without an anchor', () => {
    expect(problems('a: *nowhere\n')).toHaveLength(1);
  });

  it('fails on broken indentation with the line', () => {
    expect(problems('a:\n  b: 1\n c: 2\n')[0]).toMatch(/^3: /);
  });
});

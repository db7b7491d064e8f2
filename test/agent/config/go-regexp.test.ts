import { describe, expect, it } from 'vitest';
import { compileGoRegExp, GoRegExp, goRegExp } from '../../../agent/config/go-regexp.ts';

const compiled = (pattern: string): GoRegExp => {
  const result = compileGoRegExp(pattern);
  if (!(result instanceof GoRegExp)) throw new Error(result.wrong);
  return result;
};

describe("Go's regular expressions", () => {
  it('mean what they mean in Go where JavaScript differs', () => {
    expect(compiled('^a.b$').test('a\rb')).toBe(true);
    expect(compiled('^a.b$').test('a\nb')).toBe(false);
    expect(compiled('\\s').test('\u00a0')).toBe(false);
    expect(compiled('(?i)k').test('\u212a')).toBe(true);
    expect(compiled('(?s:a.b)c.d').test('a\nbcxd')).toBe(true);
    expect(compiled('[[:digit:]]+\\z').test('a1')).toBe(true);
    expect(compiled('\\Qa.b\\E').test('axb')).toBe(false);
    expect(compiled('a{,2}').test('a{,2}')).toBe(true);
    expect(compiled('^.$').test('😀')).toBe(true);
  });

  it('replace all matches by the rules of Go: no empty match right behind another', () => {
    expect(compiled('a*').replaceAll('baac', 'X')).toBe('XbXcX');
    expect(compiled('').replaceAll('😀b', '-')).toBe('-😀-b-');
    expect(compiled('(?P<first>\\w+) (\\w+)').replaceAll('ab cd', '$2 ${first}')).toBe('cd ab');
    expect(compiled('(a)(b)?').replaceAll('a', '[$1|$2|$3|$1x|${1}x|$$|$|${|$-]')).toBe('[a||||ax|$|$|${|$-]');
    expect(compiled('a').replaceAll('a', '$01')).toBe('');
  });

  it('name groups, and a group that took no part is empty', () => {
    const pattern = compiled('(?P<user>\\w+)@(?<host>\\w+)(:\\d+)?');
    expect(pattern.names).toEqual(['', 'user', 'host', '']);
    expect(pattern.groups('mail me@there now')).toEqual(['me@there', 'me', 'there', '']);
    expect(pattern.groups('none')).toBeUndefined();
  });

  it('are linear: a pattern that hangs JavaScript answers for a megabyte', () => {
    expect(compiled('(a+)+$').test(`${'a'.repeat(1_000_000)}b`)).toBe(false);
    expect(compiled('x*y').test('x'.repeat(200_000))).toBe(false);
  });

  it.each(['(?=a)', '(?<=a)b', '\\1', 'a**', 'a++', '(', ')', '[z-a]', 'a{1001}', '\\8', '(?P<n>a)(?P<n>b)', '\\e', '*'])(
    'fails for what Go refuses: %s',
    (pattern) => {
      expect(goRegExp(pattern)).toBeUndefined();
      expect(compileGoRegExp(pattern)).toHaveProperty('wrong');
    },
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGoRegExp, GoRegExp } from '../../../agent/config/go-regexp.ts';
import { nativeOf } from '../../../agent/config/native-regexp.ts';

const SEED = 20261121;

/** Both engines for a pattern that Go takes. */
function both(pattern: string): readonly [GoRegExp, GoRegExp] | undefined {
  const [fast, safe] = [compileGoRegExp(pattern), compileGoRegExp(pattern, false)];
  return fast instanceof GoRegExp && safe instanceof GoRegExp ? [fast, safe] : undefined;
}

const char = fc.constantFrom(...'aabbcAKks0179/.-_@ éß\u212a\u017f😀'.split(''), '\n', '\r', '\u2028', '😀', 'é');
const text = fc.array(char, { maxLength: 14 }).map((all) => all.join('').toWellFormed());
const member = fc.oneof(
  fc.constantFrom('a', 'b', 'K', 's', '0', '-', '.', 'é', '\\d', '\\w', '\\s', '\\.', '\\-', '\\]'),
  fc.constantFrom('a-c', '0-9', 'A-Z', 'a-zA-Z', '\\t-~', 'a-é'),
);
const atom = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'K', 's', '0', '/', '@', 'é', '-', '_', ' ') },
  { weight: 3, arbitrary: fc.constantFrom('.', '\\d', '\\D', '\\w', '\\W', '\\s', '\\S', '\\.', '\\/', '\\n', '\\[') },
  { weight: 1, arbitrary: fc.constantFrom('^', '$', '\\b', '\\B', '\\A', '\\z', '[[:alpha:]]', '\\pL', '\\x61', '{', '😀') },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('', '^'), fc.array(member, { minLength: 1, maxLength: 3 }))
      .map(([not, all]) => `[${not}${all.join('')}]`),
  },
);
const times = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,3}', '{2,}', '{0,2}', '*?', '+?', '??', '{1,2}?', '{,2}');
const patterns = fc
  .tuple(
    fc.constantFrom('', '', '', '(?i)', '(?s)', '(?is)', '(?m)'),
    fc.letrec<{ readonly alternatives: string }>((tie) => ({
      alternatives: fc
        .array(
          fc
            .array(
              fc.tuple(
                fc.oneof(
                  { maxDepth: 2 },
                  atom,
                  fc.tuple(fc.constantFrom('(', '(?:', '(?P<n>'), tie('alternatives')).map(([opening, inner]) => `${opening}${inner})`),
                ),
                times,
              ),
              { maxLength: 4 },
            )
            .map((parts) => parts.map((part) => part.join('')).join('')),
          { minLength: 1, maxLength: 2 },
        )
        .map((all) => all.join('|')),
    })).alternatives,
  )
  .map((parts) => parts.join(''));

describe("Go's regular expressions on JavaScript's engine", () => {
  it(`find, group and replace what RE2 does (seed ${SEED})`, () => {
    let known = 0;
    fc.assert(
      fc.property(patterns, fc.array(text, { minLength: 1, maxLength: 6 }), (pattern, texts) => {
        const engines = both(pattern);
        if (engines === undefined || nativeOf(pattern) === undefined) return;
        known += 1;
        const [fast, safe] = engines;
        const ends = (at: readonly number[]): string => `<${at.join(' ')}>`;
        for (const each of texts) {
          expect([pattern, each, fast.test(each)]).toEqual([pattern, each, safe.test(each)]);
          expect([pattern, each, fast.groups(each)]).toEqual([pattern, each, safe.groups(each)]);
          expect([pattern, each, fast.replaceEach(each, ends)]).toEqual([pattern, each, safe.replaceEach(each, ends)]);
        }
      }),
      { numRuns: 6000, seed: SEED },
    );
    expect(known).toBeGreaterThan(1000);
  });

  it.each([
    ['4[0-9]{12}(?:[0-9]{3})?', 2048],
    ['/cart/\\d+', 4096],
    ['^GET /(?:cart|order)/\\d+$', 8192],
    ['(?i)error|warn', 4096],
    ['[\\w.+-]+@[\\w-]+\\.[a-z]{2,}', 128],
    ['\\d+x', 128],
    ['^.*foo.*$', 128],
    ['.*a.*b.*', 24],
  ])('%s is asked of it, for texts that cannot make it slow', (pattern, atLeast) => {
    expect(nativeOf(pattern)?.longest).toBeGreaterThanOrEqual(atLeast);
  });

  it('is not asked for longer texts than that, and RE2 is', () => {
    const [fast] = both('\\d+x') ?? [];
    expect(nativeOf('\\d+x')?.longest).toBeLessThan(1000);
    expect(fast?.test(`${'1'.repeat(200_000)}x`)).toBe(true);
    expect(fast?.test('1'.repeat(200_000))).toBe(false);
  });

  it.each([
    '(a+)+$',
    '(a|aa)+$',
    '(?:a?){20}a{20}',
    '(a|b)*c',
    '(?:(a)|b){2}',
    '[[:alpha:]]',
    '\\pL',
    'a{,2}',
    '(?m)^a',
    '(?i)é',
    '(?i)\\w',
    '(?:)*',
    'a**',
    '(?:(?:a{1,9}){1,9}){1,9}b',
    '.*a.*b.*c.*d.*e.*f.*g',
  ])('fails to be JavaScript where that is another thing or can be slow: %s', (pattern) => {
    expect(nativeOf(pattern)).toBeUndefined();
  });
});

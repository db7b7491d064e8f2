import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Condition, MathNode, Operand, Value } from '../../../agent/ottl/ast.ts';
import { OttlError } from '../../../agent/ottl/errors.ts';
import { parseCondition, parseStatement } from '../../../agent/ottl/parser.ts';
import { printCondition, printStatement } from '../../../agent/ottl/print.ts';

const SEED = 20_261_121;

/** Column and message of the mistake. */
function mistake(text: string, parse: (text: string) => unknown = parseStatement): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof OttlError) return `${error.column}: ${error.message}`;
    throw error;
  }
  throw new Error(`${text} was read`);
}

describe('the parser of OTTL', () => {
  it.each([
    ['set(name, "a")', 'set(name, "a")'],
    [
      ' set ( span . name , "a" ) where a == 1 and b != nil or not c ["d"] > 1.5',
      'set(span.name, "a") where (a == 1 and b != nil) or (not c["d"] > 1.5)',
    ],
    ['set(a, 1 + 2 * -3)', 'set(a, (1 + (2 * -3)))'],
    ['set(a, -(x - 1) / 2)', 'set(a, (-(x - 1) / 2))'],
    ['set(a, [1 2, {"b": nil, "c": 0x0A}])', 'set(a, [1, 2, {"b": nil, "c": 0x0a}])'],
    [
      'replace_pattern(target=name, regex_pattern="\\\\d", replacement="", function=SHA256)',
      'replace_pattern(target=name, regex_pattern="\\\\d", replacement="", function=SHA256)',
    ],
    ['set(a[b["c"]][0], Split(x, ",")[1])', 'set(a[(b["c"])][0], Split(x, ",")[1])'],
    ['limit(attributes, 010, [])', 'limit(attributes, 8, [])'],
    ['set(a, "\\x41\\u00e9\\t\\\\")', 'set(a, "Aé\\t\\\\")'],
    ['set(a, 1.5e3)', 'set(a, 1500.0)'],
  ])('reads %s', (text, printed) => {
    expect(printStatement(parseStatement(text))).toBe(printed);
  });

  it.each([
    ['set(name, "a"', '14: unexpected the end, wanted "[" or ")" or ","'],
    ['set(name, "\\d")', '12: unknown escape \\d in a text; a backslash itself is written \\\\, so the regular expression \\d is "\\\\d"'],
    ['set(name, "a', '11: a text that does not end'],
    ['set(name, §)', '11: unexpected "§)"'],
    ['Set(name, "a")', '1: a statement begins with an editor, whose name is in lower case, as set(...)'],
    ['set(name, len("a"))', '11: len: converters begin with an upper-case letter'],
    ['set(name, "a")["b"]', '16: only paths and converters can be indexed, not set(...)'],
    ['set(name, (x) => x)', '11: lambda expressions are not supported'],
    ['set(name, 08)', '11: 08: a leading zero makes a number octal'],
    ['set(name, 0x1)', '11: 0x1 has an odd number of digits'],
    ['set(name, 99999999999999999999)', '11: 99999999999999999999 does not fit 64 bits'],
    ['', '1: unexpected the end, wanted a name'],
  ])('fails on %s and says where', (text, message) => {
    expect(mistake(text)).toContain(message.split(', wanted')[0]);
  });

  it('fails on what is nested too deeply, in whatever way, instead of running out of stack', () => {
    for (const [open, close] of ['()', '[]', '{}'].map((pair) => [...pair] as [string, string]))
      expect(mistake(`set(a, ${open.repeat(50_000)}${close.repeat(49_000)})`)).toMatch(/nested more than|unexpected/);
    expect(mistake(`${'not('.repeat(20_000)}true`, parseCondition)).toMatch(/nested more than/);
    expect(mistake(`set(a, ${'A('.repeat(30_000)}`)).toMatch(/nested more than/);
    expect(mistake(`set(a, "${'x'.repeat(200_000)}")`)).toMatch(/longer than/);
  });

  it('takes time in proportion to the text where alternatives begin alike', () => {
    const nested = `${'F('.repeat(150)}1${' + 1)'.repeat(150)}`;
    expect(printStatement(parseStatement(`set(a, ${nested})`))).toContain('F(');
  });

  it(`reads what it printed as the same (seed ${SEED})`, () => {
    fc.assert(
      fc.property(conditions(3), (condition) => {
        const text = printCondition(condition);
        const read = parseCondition(text);
        expect(printCondition(read)).toBe(text);
        expect(withoutPlaces(read)).toEqual(withoutPlaces(condition));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it(`answers any mutation of a statement with a statement or an OttlError (seed ${SEED})`, () => {
    const parts = fc.constantFrom(
      ...'()[]{}".,:=<>!+-*/ \\\n',
      'nil',
      'not',
      'and',
      'or',
      'where',
      '0x',
      '=>',
      '😀',
      '\u0000',
      'SPAN_KIND_SERVER',
    );
    const mutation = fc.tuple(fc.nat(400), fc.nat(6), fc.oneof(parts, fc.string({ unit: 'binary', maxLength: 4 })));
    fc.assert(
      fc.property(fc.constantFrom(...STATEMENTS), fc.array(mutation, { minLength: 1, maxLength: 6 }), (statement, mutations) => {
        let text = statement;
        for (const [at, removed, added] of mutations) {
          const place = at % (text.length + 1);
          text = text.slice(0, place) + added + text.slice(place + removed);
        }
        for (const parse of [parseStatement, parseCondition]) {
          try {
            parse(text);
          } catch (error) {
            if (!(error instanceof OttlError)) throw error;
            expect(error.column).toBeGreaterThan(0);
          }
        }
      }),
      { seed: SEED, numRuns: 5000 },
    );
  });
});

const STATEMENTS = [
  'set(attributes["a"]["b"][0], 1 + 2 * -(3 - Len(name))) where IsMatch(name, "^a.*") and not (kind == SPAN_KIND_SERVER or x != nil)',
  'merge_maps(target=attributes, source=ParseJSON(body), strategy="upsert")',
  'set(cache, {"a": [1, 2.5, true, nil, 0x00ff], "b": {"c": "d"}})',
  'replace_all_patterns(attributes, "key", "\\\\.", "_", SHA256, "<%s>")',
  'IsString(body) or start_time - end_time > Duration("1s") and attributes[attributes["k"]] == "x"',
];

const at = 0;
const names = fc.constantFrom('name', 'attributes', 'body', 'kind', 'a_b');

function operands(depth: number): fc.Arbitrary<Operand> {
  const path = fc
    .tuple(fc.option(names, { nil: undefined }), fc.array(fc.string(), { maxLength: 2 }), names)
    .map(([context, keys, name]) => ({
      context,
      fields: [{ name, keys: keys.map((value) => ({ kind: 'string', value, at }) as const), at }],
      at,
    }));
  const simple: fc.Arbitrary<Operand>[] = [
    fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((value) => ({ kind: 'int', value, at }) as const),
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => ({ kind: 'float', value: value + 0, at }) as const),
    path.map((one) => ({ kind: 'path', path: one, at }) as const),
  ];
  if (depth === 0) return fc.oneof(...simple);
  const call = fc
    .tuple(fc.constantFrom('Len', 'Concat', 'SHA256'), fc.array(values(depth - 1), { maxLength: 2 }))
    .map(
      ([name, args]) =>
        ({ kind: 'converter', call: { name, args: args.map((value) => ({ name: undefined, value, at })), keys: [], at }, at }) as const,
    );
  return fc.oneof(...simple, call);
}

function maths(depth: number): fc.Arbitrary<MathNode> {
  const operand = operands(0).map((one) => ({ kind: 'operand', operand: one, at }) as const);
  if (depth === 0) return operand;
  const binary = fc
    .tuple(fc.constantFrom('+', '-', '*', '/'), maths(depth - 1), maths(depth - 1))
    .map(([operator, left, right]) => ({ kind: 'binary', operator, left, right, at }) as const);
  const sign = fc.tuple(fc.constantFrom('+', '-'), operand).map(([one, of]) => ({ kind: 'sign', sign: one, of, at }) as const);
  return fc.oneof(operand, binary, sign);
}

function values(depth: number): fc.Arbitrary<Value> {
  const simple: fc.Arbitrary<Value>[] = [
    operands(depth),
    fc.constant({ kind: 'nil', at } as const),
    fc.string({ unit: 'grapheme' }).map((value) => ({ kind: 'string', value, at }) as const),
    fc.boolean().map((value) => ({ kind: 'boolean', value, at }) as const),
    fc.uint8Array({ minLength: 1, maxLength: 4 }).map((value) => ({ kind: 'bytes', value, at }) as const),
    fc.constantFrom('SPAN_KIND_SERVER', 'A').map((name) => ({ kind: 'enum', name, at }) as const),
  ];
  if (depth === 0) return fc.oneof(...simple);
  const list = fc.array(values(depth - 1), { maxLength: 3 }).map((items) => ({ kind: 'list', items, at }) as const);
  const map = fc
    .array(fc.tuple(fc.string(), values(depth - 1)), { maxLength: 2 })
    .map((entries) => ({ kind: 'map', entries, at }) as const);
  return fc.oneof(
    ...simple,
    list,
    map,
    maths(depth).map((expression) => ({ kind: 'math', expression, at }) as const),
  );
}

function conditions(depth: number): fc.Arbitrary<Condition> {
  const compare = fc
    .tuple(fc.constantFrom('==', '!=', '<', '<=', '>', '>='), values(depth), values(depth))
    .map(([operator, left, right]) => ({ kind: 'compare', operator, left, right, at }) as const);
  const constant = fc.boolean().map((value) => ({ kind: 'constant', value }) as const);
  if (depth === 0) return fc.oneof(compare, constant);
  const inner = conditions(depth - 1);
  const chain = fc
    .tuple(fc.constantFrom('and', 'or'), fc.array(inner, { minLength: 2, maxLength: 3 }))
    .map(([kind, list]) => ({ kind, conditions: list }) as const);
  return fc.oneof(
    compare,
    constant,
    inner.map((condition) => ({ kind: 'not', condition }) as const),
    chain,
  );
}

/** A tree without the offsets, which printing changes. */
function withoutPlaces(tree: unknown): unknown {
  if (typeof tree !== 'object' || tree === null || tree instanceof Uint8Array)
    return tree instanceof Uint8Array ? Buffer.from(tree).toString('hex') : tree;
  if (Array.isArray(tree)) return tree.map(withoutPlaces);
  return Object.fromEntries(Object.entries(tree).flatMap(([key, value]) => (key === 'at' ? [] : [[key, withoutPlaces(value)]])));
}

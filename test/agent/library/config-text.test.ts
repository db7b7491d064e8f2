import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../agent/config/problems.ts';
import { plain } from '../../../agent/config/tree.ts';
import { parseYaml } from '../../../agent/config/yaml.ts';
import { yamlOf } from '../../../agent/library/config-text.ts';

function read(text: string): unknown {
  const result = parseYaml(text, 'test');
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return normal(plain(result.node));
}

/** Integers are bigint in the tree, as YAML tells them from floats. */
function normal(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normal(item)]));
  return Object.is(value, -0) ? 0 : value;
}

const key = fc.string({ minLength: 1 }).filter((text) => !text.includes('::'));
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    fc.double(),
    fc.integer(),
    fc.constantFrom('0777', 'yes', '~', '1_000', '2020-01-01', '<<', '*a', '&b', '- x', '${env:X}'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe('an object as YAML', () => {
  it('is read back as it was, texts that look like numbers or anchors included', () => {
    const seed = Date.now();
    fc.assert(
      fc.property(tree.value, (value) => {
        expect(read(yamlOf(value))).toEqual(normal(value));
      }),
      { seed, numRuns: 2000 },
    );
  });

  it('keeps 64 bits, and leaves out what is undefined', () => {
    expect(yamlOf({ a: 2n ** 63n - 1n, b: undefined, c: [undefined] })).toBe('{"a": 9223372036854775807, "c": [null]}');
  });

  it('takes objects of another realm, as a worker hands them over', () => {
    expect(yamlOf(structuredClone({ a: Object.create(null) as object }))).toBe('{"a": {}}');
  });

  it.each([
    ['a function', { exporters: { otlp_grpc: { endpoint: () => 'x' } } }, 'exporters.otlp_grpc.endpoint: a function is no value'],
    ['a Date', { a: [new Date()] }, 'a[0]: a Date is no value'],
    ['a Map', { a: new Map() }, 'a: a Map is no value'],
    ['a symbol', { a: Symbol('x') }, 'a: a symbol is no value'],
  ])('fails on %s and names the place', (_name, value, message) => {
    expect(() => yamlOf(value)).toThrow(ConfigError);
    expect(() => yamlOf(value)).toThrow(message);
  });

  it('fails on an object inside of itself', () => {
    const value: { inner?: unknown } = {};
    value.inner = { again: value };
    expect(() => yamlOf(value)).toThrow('nested too deeply, or inside of itself');
  });
});

import { createHash, randomUUID } from 'node:crypto';
import { parseInt64, wantBool, wantDouble, wantInt, wantMap, wantString } from '../convert.ts';
import { Failure } from '../errors.ts';
import {
  anything,
  int,
  likeBool,
  likeBytes,
  likeDouble,
  likeInt,
  likeString,
  listOf,
  literalBool,
  literalString,
  optional,
  string,
} from '../kinds.ts';
import { GoSlice, Identifier, int64, isList, isMap, Parts, type Value } from '../values.ts';
import { define, type FunctionDefinition } from './define.ts';
import { isInNetwork, parseAddress, parseNetwork } from './networks.ts';
import { patternOf, regExp } from './patterns.ts';
import { byteLength, byteSlice, camelCase, lower, snakeCase, trimmed, upper } from './text.ts';

/** Converters of pkg/ottl/ottlfuncs that are about types. */
const TYPE_CONVERTERS: readonly FunctionDefinition[] = [
  define('String', { target: likeString }, ({ target }) => target.get),
  define('Int', { target: likeInt }, ({ target }) => target.get),
  define('Double', { target: likeDouble }, ({ target }) => target.get),
  define('Bool', { target: likeBool }, ({ target }) => target.get),
  isOfType('IsString', wantString, (value) => typeof value === 'string'),
  isOfType('IsInt', wantInt, (value) => typeof value === 'bigint'),
  isOfType('IsDouble', wantDouble, (value) => typeof value === 'number'),
  isOfType('IsBool', wantBool, (value) => typeof value === 'boolean'),
  isOfType('IsMap', wantMap, isMap),
  define('IsList', { target: anything }, ({ target }) => (item) => {
    const value = target.get(item);
    if (value instanceof GoSlice) return value.of !== 'uint64';
    return isList(value) || (value instanceof Parts && value.length !== undefined);
  }),
  define(
    'Len',
    { target: anything },
    ({ target }) =>
      (item) =>
        lengthOf(target.get(item)),
  ),
  define('ParseInt', { target: string, base: int }, ({ target, base }) => (item) => {
    const text = target.get(item);
    const radix = base.get(item);
    if (radix !== 0n && (radix < 2n || radix > 36n)) throw new Failure(`${radix} is no base`);
    const value = radix === 0n ? parseLiteral(text) : parseInt64(text, Number(radix));
    if (value === undefined) throw new Failure(`${JSON.stringify(text)} is no integer of base ${radix}`);
    return value;
  }),
  define('Coalesce', { values: listOf(anything) }, ({ values }) => {
    if (values.length === 0) throw new Failure('wants at least one value');
    return (item) => {
      for (const each of values) {
        const value = each.get(item);
        if (value !== undefined) return value;
      }
      return undefined;
    };
  }),
  define('Log', { target: likeDouble }, ({ target }) => (item) => {
    const value = target.get(item);
    if (value === undefined || value <= 0) throw new Failure('a logarithm wants a number above 0');
    return Math.log(value);
  }),
  identifierOf('TraceID', 16),
  identifierOf('SpanID', 8),
];

/** Those that are about text. */
const TEXT_CONVERTERS: readonly FunctionDefinition[] = [
  define('IsMatch', { target: likeString, pattern: string }, ({ target, pattern }) => {
    const compiled = patternOf(pattern, regExp);
    return (item) => {
      const expression = compiled(item);
      const text = target.get(item);
      return text !== undefined && expression.test(text);
    };
  }),
  define('ExtractPatterns', { target: string, pattern: string }, ({ target, pattern }) => {
    const compiled = patternOf(pattern, regExp);
    return (item) => {
      const expression = compiled(item);
      if (expression.names.every((name) => name === '')) throw new Failure('the pattern has no named group, as (?P<name>...)');
      const groups = expression.groups(target.get(item)) ?? [];
      return new Map(groups.map((text, i) => [expression.names[i] as string, text] as const).filter(([name]) => name !== ''));
    };
  }),
  define('Concat', { vals: listOf(likeString), delimiter: string }, ({ vals, delimiter }) => (item) => {
    const between = delimiter.get(item);
    return vals.map((each) => each.get(item) ?? '<nil>').join(between);
  }),
  define('Split', { target: string, delimiter: string }, ({ target, delimiter }) => (item) => {
    const text = target.get(item);
    const separator = delimiter.get(item);
    return new GoSlice('string', separator === '' ? [...text] : text.split(separator));
  }),
  define(
    'Substring',
    { target: string, start: int, length: int, utf8_safe: optional(literalBool) },
    ({ target, start, length }) =>
      (item) => {
        const from = start.get(item);
        if (from < 0n) throw new Failure(`the start ${from} is negative`);
        const count = length.get(item);
        if (count <= 0n) throw new Failure(`the length ${count} is not above 0`);
        const text = target.get(item);
        const size = BigInt(byteLength(text));
        if (from + count > size) throw new Failure(`a text of ${size} bytes has no ${count} bytes from ${from} on`);
        return byteSlice(text, Number(from), Number(from + count));
      },
  ),
  ofText('ToLowerCase', lower),
  ofText('ToUpperCase', upper),
  ofText('ToCamelCase', camelCase),
  ofText('ToSnakeCase', snakeCase),
  define('ConvertCase', { target: string, to_case: literalString }, ({ target, to_case }) => {
    const change = Object.hasOwn(CASES, to_case) ? CASES[to_case] : undefined;
    if (change === undefined) throw new Failure(`there is no case "${to_case}", only ${Object.keys(CASES).join(', ')}`);
    return (item) => change(target.get(item));
  }),
  define('Trim', { target: string, replacement: optional(literalString) }, ({ target, replacement }) => {
    const cutset = replacement ?? ' ';
    return (item) => trimmed(target.get(item), cutset);
  }),
  ofTwoTexts('TrimPrefix', 'prefix', (text, prefix) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  ofTwoTexts('TrimSuffix', 'suffix', (text, suffix) => (text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text)),
  ofTwoTexts('HasPrefix', 'prefix', (text, prefix) => text.startsWith(prefix)),
  ofTwoTexts('HasSuffix', 'suffix', (text, suffix) => text.endsWith(suffix)),
  define('IsInCIDR', { target: string, networks: listOf(string) }, ({ target, networks }) => {
    const known = networks.map(({ constant }) => (constant === undefined ? undefined : parseNetwork(constant.value)));
    return (item) => {
      const address = parseAddress(target.get(item));
      if (address === undefined) return false;
      return networks.some((each, i) => isInNetwork(address, known[i] ?? parseNetwork(each.get(item))));
    };
  }),
  define('IsValidLuhn', { target: likeString }, ({ target }) => (item) => {
    const text = target.get(item)?.replaceAll(' ', '');
    if (text === undefined || /[^0-9]/u.test(text)) throw new Failure('a Luhn number has digits only');
    return text !== '' && luhn(text);
  }),
];

/** Hashes and encodings. */
const CODING_CONVERTERS: readonly FunctionDefinition[] = [
  ...['MD5', 'SHA1', 'SHA256', 'SHA512'].map((name) => ofText(name, (text) => createHash(name.toLowerCase()).update(text).digest('hex'))),
  ofText('FNV', fnv1a),
  define(
    'Hex',
    { target: likeBytes },
    ({ target }) =>
      (item) =>
        Buffer.from(target.get(item) ?? []).toString('hex'),
  ),
  ofText('Base64Decode', (text) => {
    const packed = text.replace(/[\r\n]/gu, '');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u.test(packed)) throw new Failure('this is no base64');
    return Buffer.from(packed, 'base64').toString('utf8');
  }),
  define('Base64Encode', { target: string, variant: optional(string) }, ({ target, variant }) => (item) => {
    const bytes = Buffer.from(target.get(item));
    const name = variant?.get(item) ?? 'base64';
    const text = name.endsWith('-url') ? urlSafe(bytes.toString('base64')) : bytes.toString('base64');
    if (name === 'base64' || name === 'base64-url') return text;
    if (name === 'base64-raw' || name === 'base64-raw-url') return text.replace(/=+$/u, '');
    throw new Failure(`there is no base64 variant ${JSON.stringify(name)}`);
  }),
  define('UUID', {}, () => () => randomUUID()),
];

export const CONVERTERS: readonly FunctionDefinition[] = [...TYPE_CONVERTERS, ...TEXT_CONVERTERS, ...CODING_CONVERTERS];

const CASES: Readonly<Record<string, (text: string) => string>> = { lower, upper, snake: snakeCase, camel: camelCase };

function ofText(name: string, change: (text: string) => Value): FunctionDefinition {
  return define(
    name,
    { target: string },
    ({ target }) =>
      (item) =>
        change(target.get(item)),
  );
}

function ofTwoTexts(name: string, second: string, change: (text: string, other: string) => Value): FunctionDefinition {
  return define(name, { target: string, [second]: string }, (args) => {
    const { target } = args;
    const other = args[second] as typeof target;
    return (item) => change(target.get(item), other.get(item));
  });
}

/** Only the value itself is looked at: what fails on the way to it is a failure. A literal of another type is one at start. */
function isOfType(name: string, want: (value: Value) => unknown, test: (value: Value) => boolean): FunctionDefinition {
  return define(name, { target: anything }, ({ target }) => {
    if (target.constant !== undefined) want(target.constant.value);
    return (item) => {
      const value = target.get(item);
      return test(value);
    };
  });
}

function identifierOf(name: 'TraceID' | 'SpanID', length: number): FunctionDefinition {
  const parse = (bytes: Uint8Array | undefined): Identifier => {
    const size = bytes?.length ?? 0;
    if (bytes !== undefined && size === length) return new Identifier(name, bytes);
    const hex = Buffer.from(bytes ?? []).toString('latin1');
    if (size !== length * 2 || !/^[0-9a-fA-F]*$/u.test(hex))
      throw new Failure(`${name} wants ${length} bytes or ${length * 2} hexadecimal digits`);
    return new Identifier(name, Buffer.from(hex, 'hex'));
  };
  return define(name, { target: likeBytes }, ({ target }) => {
    if (target.constant === undefined) return (item) => parse(target.get(item));
    const id = parse(target.constant.value);
    return () => id;
  });
}

function lengthOf(value: Value): bigint {
  if (typeof value === 'string') return BigInt(byteLength(value));
  if (value instanceof GoSlice) return BigInt(value.items.length);
  if (value instanceof Parts && value.length !== undefined) return BigInt(value.length);
  if (value instanceof Uint8Array || isList(value)) return BigInt(value.length);
  if (isMap(value)) return BigInt(value.size);
  throw new Failure('Len wants a text, a list, a map or bytes');
}

/** strconv.ParseInt with base 0: as a literal of Go. */
function parseLiteral(text: string): bigint | undefined {
  const parts = /^([+-]?)0(?:([xX])|([bB])|([oO])|(?=[0-9]))([0-9a-fA-F]+)$/u.exec(text);
  if (parts === null) return parseInt64(text, 10);
  const base = parts[2] !== undefined ? 16 : parts[3] !== undefined ? 2 : 8;
  return parseInt64(`${parts[1]}${parts[5]}`, base);
}

function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length - 1; i += 1) {
    const digit = Number(digits[digits.length - 2 - i]);
    const doubled = i % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return (10 - (sum % 10)) % 10 === Number(digits.at(-1));
}

/** hash/fnv, New64a, as a signed integer. */
function fnv1a(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return int64(hash);
}

function urlSafe(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_');
}

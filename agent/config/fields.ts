import * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';
import type { FieldDoc, FieldType } from './field-doc.ts';
import { documentSchema } from './field-doc.ts';
import { durationOfNanoseconds, parseGoDuration } from './go-duration.ts';
import { Expanded } from './tree.ts';

// zod/mini, as its schemas have no methods that nobody calls: 6 of 65 ms of the agent's start. Its messages are those of zod all the same.
// A configuration is read once: what zod would compile for each section costs more than it saves.
z.config({ jitless: true, ...english() });

/**
 * The kinds of value that the grammar has, as zod schemas that decode as the Collector's mapstructure does: types are strict ("5" is no
 * number), fractions are cut to integers, a list of texts may be one text with commas, and an empty scalar is the type's zero value,
 * not its default (an empty section, list or map is its default).
 */
export interface FieldOptions<T> {
  /** What it does, with its unit. */
  readonly describe: string;
  /** Used where the key is absent. */
  readonly default: T;
  /** How the reference shows the default, where printing it says too little. */
  readonly shows?: string;
  /** A key that the Collector does not have. */
  readonly ours?: boolean;
  /** Accepted and without effect in this agent, for this reason. */
  readonly inert?: string;
}

type Decode<T> = (value: unknown) => { readonly value: T } | { readonly wrong: string };

export type Field<T> = z.ZodMiniType<T>;

/** What a schema may report while it decodes. */
export type Context = Pick<z.core.ParsePayload, 'issues'>;

/** Whatever is written, and undefined where the key is absent. One for all fields, as zod makes some ten objects for each schema. */
const WRITTEN = z.optional(z.unknown());

/** A schema of one function; it gets undefined where the key is absent. */
export function decoder<T>(decode: (input: unknown, context: Context) => T): Field<T> {
  return z.pipe(WRITTEN, z.transform(decode)) as Field<T>;
}

/** An empty value is decoded like an empty text, as upstream does for its named texts. */
export const AS_EMPTY_TEXT = Symbol('as empty text');

/** Builds a leaf: absent is the default, an empty value is `zero`, the rest is decoded. */
export function leaf<T>(
  type: FieldType,
  options: FieldOptions<T>,
  zero: T | typeof AS_EMPTY_TEXT,
  decode: Decode<T>,
  doc: Partial<FieldDoc> = {},
): Field<T> {
  const schema = decoder((input, context): T => {
    if (input === undefined) return options.default;
    const raw = type === 'text' || type === 'choice' ? asText(input) : asValue(input);
    const isEmpty = raw === null || raw === undefined;
    if (isEmpty && zero !== AS_EMPTY_TEXT) return zero;
    const decoded = decode(isEmpty ? '' : raw);
    if ('value' in decoded) return decoded.value;
    context.issues.push({ code: 'custom', message: decoded.wrong, input: raw, params: { problem: 'OTLP_CONFIG_TYPE' } });
    return z.NEVER;
  });
  documentSchema(schema, {
    ...doc,
    type,
    description: options.describe,
    ...(options.shows === undefined ? shownDefault(options.default) : { shownDefault: options.shows }),
    ...(options.ours === true ? { ours: true } : {}),
    ...(options.inert === undefined ? {} : { inert: options.inert }),
  });
  return schema;
}

function shownDefault(value: unknown): Partial<FieldDoc> {
  if (value === undefined || value === '') return {};
  return { shownDefault: typeof value === 'bigint' ? String(value) : JSON.stringify(value) };
}

/** What a key that wants text sees of `${...}`: the text itself. */
function asText(input: unknown): unknown {
  return input instanceof Expanded ? input.original : input;
}

/** What any other key sees of it: its YAML value. */
export function asValue(input: unknown): unknown {
  return input instanceof Expanded ? input.value : input;
}

export function text(options: FieldOptions<string>): Field<string> {
  return leaf<string>('text', options, '', decodeText);
}

/** A text that may be absent. */
export function optionalText(options: Omit<FieldOptions<string | undefined>, 'default'>): Field<string | undefined> {
  return leaf<string | undefined>('text', { ...options, default: undefined }, '', decodeText);
}

function decodeText(value: unknown): { readonly value: string } | { readonly wrong: string } {
  return typeof value === 'string' ? { value } : { wrong: 'wants text; put the value in quotes' };
}

export function bool(options: FieldOptions<boolean>): Field<boolean> {
  return leaf<boolean>('bool', options, false, (value) =>
    typeof value === 'boolean' ? { value } : { wrong: 'wants true or false, without quotes' },
  );
}

/** An integer; a fraction is cut, as in the Collector. */
export function integer(options: FieldOptions<number>): Field<number> {
  return leaf<number>('integer', options, 0, decodeInteger);
}

/** An integer that may be absent. */
export function optionalInteger(options: Omit<FieldOptions<number | undefined>, 'default'>): Field<number | undefined> {
  return leaf<number | undefined>('integer', { ...options, default: undefined }, 0, decodeInteger);
}

/** The Collector's uint32: an integer that is not negative. */
export function unsigned(options: FieldOptions<number>): Field<number> {
  return leaf<number>('integer', options, 0, (value) => {
    const decoded = decodeInteger(value);
    return 'value' in decoded && (decoded.value < 0 || decoded.value > 0xffff_ffff)
      ? { wrong: 'wants an integer from 0 to 4294967295' }
      : decoded;
  });
}

function decodeInteger(value: unknown): { readonly value: number } | { readonly wrong: string } {
  const number = typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? Math.trunc(value) : undefined;
  return number !== undefined && Number.isSafeInteger(number) ? { value: number } : { wrong: 'wants an integer, without quotes' };
}

export function float(options: FieldOptions<number>): Field<number> {
  return leaf<number>('number', options, 0, (value) => {
    const number = typeof value === 'bigint' ? Number(value) : value;
    return typeof number === 'number' && !Number.isNaN(number) ? { value: number } : { wrong: 'wants a number, without quotes' };
  });
}

/** Milliseconds from a Go duration; `default` is milliseconds too. */
export function duration(options: FieldOptions<number> & { readonly shows: string }): Field<number> {
  return leaf<number>('duration', options, 0, (value) => {
    if (typeof value === 'string') {
      const milliseconds = parseGoDuration(value);
      return milliseconds === undefined
        ? { wrong: 'is no duration; write a number with a unit, as 200ms, 5s or 1h30m' }
        : { value: milliseconds };
    }
    if (typeof value === 'bigint') return { value: durationOfNanoseconds(Number(value)) };
    if (typeof value === 'number') return { value: durationOfNanoseconds(Math.trunc(value)) };
    return { wrong: 'wants a duration with a unit, as 200ms, 5s or 1h30m' };
  });
}

/** One of `values`, exactly as they are spelled. */
export function choice<const T extends string>(values: readonly T[], options: FieldOptions<T>): Field<T> {
  const written = values.filter((known) => known !== '');
  return leaf<T>(
    'choice',
    options,
    AS_EMPTY_TEXT,
    (value) => {
      const found = values.find((known) => known === value);
      return found === undefined ? { wrong: `must be one of ${written.join(', ')}` } : { value: found };
    },
    { values: written },
  );
}

/** A list of texts; one text with commas is a list too. */
export function textList(options: FieldOptions<readonly string[]>): Field<readonly string[]> {
  return leaf<readonly string[]>('list', options, options.default, decodeTextList);
}

/** A list of texts that may be absent. */
export function optionalTextList(
  options: Omit<FieldOptions<readonly string[] | undefined>, 'default'>,
): Field<readonly string[] | undefined> {
  return leaf<readonly string[] | undefined>('list', { ...options, default: undefined }, undefined, decodeTextList);
}

function decodeTextList(value: unknown): { readonly value: readonly string[] } | { readonly wrong: string } {
  if (typeof value === 'string') return { value: value === '' ? [] : value.split(',') };
  if (!Array.isArray(value)) return { wrong: 'wants a list of texts' };
  const texts = value.map((item: unknown) => asText(item) ?? '');
  return texts.every((item) => typeof item === 'string') ? { value: texts } : { wrong: 'wants a list of texts; put its values in quotes' };
}

/** Names and texts: a map, or a list of {name, value}; both as in the Collector. */
export function headers(options: FieldOptions<Readonly<Record<string, string>>>): Field<Readonly<Record<string, string>>> {
  return leaf<Readonly<Record<string, string>>>('map', options, options.default, (value) => {
    // Without a prototype, as a header may be called `constructor`.
    const result = Object.create(null) as Record<string, string>;
    if (typeof value !== 'object' || value === null || value instanceof Date) return { wrong: 'wants a map of names and texts' };
    const pairs: (readonly [unknown, unknown])[] = Array.isArray(value) ? value.map(namedPair) : Object.entries(value);
    for (const [name, raw] of pairs) {
      const content = asText(raw) ?? '';
      if (typeof name !== 'string') return { wrong: 'wants {name, value} in each place of the list' };
      if (typeof content !== 'string') return { wrong: `wants text for "${name}"; put the value in quotes` };
      if (name in result) return { wrong: `names "${name}" twice` };
      result[name] = content;
    }
    return { value: result };
  });
}

function namedPair(item: unknown): readonly [unknown, unknown] {
  const pair = asValue(item);
  if (typeof pair !== 'object' || pair === null || Array.isArray(pair)) return [undefined, undefined];
  const known = Object.keys(pair).every((key) => key === 'name' || key === 'value');
  return known ? [asText('name' in pair ? pair.name : '') ?? '', 'value' in pair ? pair.value : ''] : [undefined, undefined];
}

/** A key of the Collector that this agent lacks: any value but an empty one is an error that says why. */
export function unsupported(describe: string, remedy: string): Field<undefined> {
  const schema = decoder((input, context): undefined => {
    const raw = asValue(input);
    if (raw === undefined || raw === null) return undefined;
    context.issues.push({ code: 'custom', message: remedy, input: raw, params: { problem: 'OTLP_CONFIG_UNSUPPORTED' } });
    return undefined;
  });
  documentSchema(schema, { type: 'any', description: describe, unsupported: remedy });
  return schema;
}

import * as z from 'zod/mini';
import type { ConfigErrorCode } from './errors.ts';
import type { FieldDoc } from './field-doc.ts';
import { documentSchema } from './field-doc.ts';
import type { Field } from './fields.ts';
import { asValue, decoder } from './fields.ts';

/** The keys of one section. */
export type Shape = Readonly<Record<string, z.ZodMiniType>>;
export type Output<S extends Shape> = { readonly [K in keyof S]: z.output<S[K]> };

/** Says that a decoded section contradicts itself; `key` is where the message points. @default code OTLP_CONFIG_VALUE */
export type Report = (key: string, message: string, code?: ConfigErrorCode) => void;

export interface SectionOptions<S extends Shape> {
  readonly describe: string;
  readonly ours?: boolean;
  readonly inert?: string;
  /** Rules over several keys, after all of them decoded. Skipped where `enabled: false` switched the section off. */
  readonly check?: (value: Output<S>, report: Report) => void;
}

/** A map with these keys and no others; empty or absent, it is all defaults. */
export function section<S extends Shape>(shape: S, options: SectionOptions<S>): Field<Output<S>> {
  const schema = z.pipe(
    decoder((input) => (asValue(input) ?? {}) as object),
    checked(shape, options),
  );
  return documented(schema, shape, options, { shownDefault: undefined }) as Field<Output<S>>;
}

export interface OptionalOptions<S extends Shape> extends SectionOptions<S> {
  /** What an absent key means: the section with its defaults, or none. */
  readonly absent: 'on' | 'off';
  /** What an empty key (`grpc:`) means. Upstream has both kinds. @default on */
  readonly empty?: 'on' | 'off';
  /** What an empty key stands for where that is not the same as `{}`. */
  readonly emptyValue?: object;
}

/**
 * A section that can be off (configoptional upstream): `enabled: false` switches it off, and its rules with it, though its keys still
 * have to decode.
 */
export function optionalSection<S extends Shape>(shape: S, options: OptionalOptions<S>): Field<Output<S> | undefined> {
  const schema = decoder((input, context): object | undefined => {
    const raw = asValue(input);
    if (raw === undefined) return options.absent === 'on' ? {} : undefined;
    if (raw === null) return (options.empty ?? 'on') === 'on' ? (options.emptyValue ?? {}) : undefined;
    if (typeof raw !== 'object' || Array.isArray(raw) || !('enabled' in raw)) return raw as object;
    const { enabled, ...rest } = raw as Record<string, unknown>;
    const on = asValue(enabled);
    if (typeof on !== 'boolean') {
      context.issues.push({
        code: 'custom',
        message: 'wants true or false, without quotes',
        input: on,
        path: ['enabled'],
        params: { problem: 'OTLP_CONFIG_TYPE' },
      });
      return z.NEVER;
    }
    if (on) return rest;
    for (const issue of z.strictObject(shape).safeParse(rest).error?.issues ?? [])
      context.issues.push({ ...issue, code: 'custom', input: raw, params: paramsOf(issue) });
    return undefined;
  });
  return documented(kept(z.pipe(schema, z.optional(checked(shape, options)))), shape, options, {
    shownDefault: options.absent === 'on' ? 'on' : 'off',
    withEnabled: true,
  }) as Field<Output<S> | undefined>;
}

/** A section that is there or not (a plain pointer upstream): absent and empty are none, and there is no `enabled`. */
export function sectionOrNone<S extends Shape>(shape: S, options: SectionOptions<S>): Field<Output<S> | undefined> {
  const schema = kept(
    z.pipe(
      decoder((input) => (asValue(input) ?? undefined) as object | undefined),
      z.optional(checked(shape, options)),
    ),
  );
  return documented(schema, shape, options, { shownDefault: 'none' }) as Field<Output<S> | undefined>;
}

/** A list whose places are sections of this shape. */
export function sectionList<S extends Shape>(shape: S, options: SectionOptions<S>): Field<readonly Output<S>[] | undefined> {
  const item = z.pipe(
    decoder((input) => (asValue(input) ?? {}) as object),
    checked(shape, options),
  );
  const schema = kept(
    z.pipe(
      decoder((input) => (asValue(input) ?? undefined) as unknown[] | undefined),
      z.optional(z.array(item)),
    ),
  );
  return documented(schema, shape, options, { shownDefault: undefined, list: true }) as Field<readonly Output<S>[] | undefined>;
}

/**
 * Ends a schema that may give undefined. Without it zod takes the key for one that absence leaves out, and throws away what was made
 * of an absent key: a sending_queue that nobody wrote would be off instead of on.
 */
export function kept<T>(schema: Field<T>): Field<T> {
  return z.pipe(schema as Field<unknown>, KEEP) as Field<T>;
}

const KEEP = z.transform((value: unknown) => value);

function checked<S extends Shape>(shape: S, options: SectionOptions<S>): z.ZodMiniType<unknown, object> {
  const strict = z.strictObject(shape);
  const { check } = options;
  if (check === undefined) return strict as z.ZodMiniType<unknown, object>;
  const refined = strict.check(
    z.superRefine((value, context) => {
      check(value as Output<S>, (key, message, problem = 'OTLP_CONFIG_VALUE') => {
        context.addIssue({ code: 'custom', message, path: [key], params: { problem } });
      });
    }),
  );
  return refined as z.ZodMiniType<unknown, object>;
}

function documented(
  schema: z.ZodMiniType,
  shape: Shape,
  options: SectionOptions<Shape> | { describe: string; ours?: boolean; inert?: string },
  more: { readonly shownDefault: string | undefined; readonly list?: boolean; readonly withEnabled?: boolean },
): z.ZodMiniType {
  const doc: FieldDoc = {
    type: 'section',
    description: options.describe,
    fields: shape,
    ...(more.shownDefault === undefined ? {} : { shownDefault: more.shownDefault }),
    ...(more.list === true ? { list: true } : {}),
    ...(more.withEnabled === true ? { switchable: true } : {}),
    ...(options.ours === true ? { ours: true } : {}),
    ...(options.inert === undefined ? {} : { inert: options.inert }),
  };
  documentSchema(schema, doc);
  return schema;
}

/** What travels with an issue beside its text: unknown keys are found by zod itself and keep their names. */
function paramsOf(issue: z.core.$ZodIssue): Record<string, unknown> {
  if (issue.code === 'unrecognized_keys') return { problem: 'OTLP_CONFIG_UNKNOWN_KEY', keys: issue.keys };
  return issue.code === 'custom' ? (issue.params ?? {}) : { problem: 'OTLP_CONFIG_TYPE' };
}

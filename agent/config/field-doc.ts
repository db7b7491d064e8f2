import type * as z from 'zod/mini';

export type FieldType = 'text' | 'bool' | 'integer' | 'number' | 'duration' | 'choice' | 'list' | 'map' | 'section' | 'any';

/** What is known of a key beside its decoding: the reference, the JSON Schema, the notices and `--portable` are made from it. */
export interface FieldDoc {
  readonly type: FieldType;
  readonly description: string;
  /** As a reader of YAML would write it. */
  readonly shownDefault?: string;
  /** The Collector does not have this key. */
  readonly ours?: boolean;
  /** Accepted, without effect here, for this reason. */
  readonly inert?: string;
  /** Not accepted, with what to do instead. */
  readonly unsupported?: string;
  readonly values?: readonly string[];
  /** The values may be written in capitals. */
  readonly anyCase?: boolean;
  /** Keys of a section. */
  readonly fields?: Readonly<Record<string, z.ZodMiniType>>;
  /** `enabled: false` switches the section off. */
  readonly switchable?: boolean;
  /** A list whose places are sections. */
  readonly list?: boolean;
  /** Places of the list may be texts instead. */
  readonly orText?: boolean;
}

const DOCS = new WeakMap<z.ZodMiniType, FieldDoc>();

/** Keeps what is known of a key with its schema. */
export function documentSchema(schema: z.ZodMiniType, doc: FieldDoc): void {
  DOCS.set(schema, doc);
}

export function docOf(schema: z.ZodMiniType): FieldDoc {
  const doc = DOCS.get(schema);
  if (doc === undefined) throw new Error('a schema of the configuration was made without fields.ts or section.ts');
  return doc;
}

/** A key of a section. Own keys only: `constructor` in a file is an unknown key and not a function. */
export function fieldOf(doc: FieldDoc | undefined, key: string): z.ZodMiniType | undefined {
  const { fields } = doc ?? {};
  return fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
}

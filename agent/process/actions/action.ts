import type { GoRegExp } from '../../config/go-regexp.ts';
import type { AnyValue } from '../../otlp/view/any-value.ts';

export type AttributeActionKind = 'insert' | 'update' | 'upsert' | 'delete' | 'hash' | 'extract' | 'convert';

export type ConvertedType = 'string' | 'int' | 'double';

/** One action of the processors `attributes` and `resource` (coreinternal/attraction upstream). */
export interface AttributeAction {
  readonly action: AttributeActionKind;
  /** Empty only for `delete` and `hash` with a pattern. */
  readonly key: string;
  /** insert, update, upsert: what to set. */
  readonly value?: AnyValue;
  /** insert, update, upsert: the value of another attribute. */
  readonly fromAttribute?: string;
  /** insert, update, upsert: request metadata, by lower-case name. */
  readonly fromMetadata?: string;
  /** insert, update, upsert: what to set where `fromAttribute` or `fromMetadata` gives nothing. */
  readonly defaultValue?: AnyValue;
  /** delete, hash: keys; extract: the parts of the text, all of them named. */
  readonly pattern?: GoRegExp;
  /** convert only. */
  readonly convertedType?: ConvertedType;
}

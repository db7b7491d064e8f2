import type { AttributesView } from '../otlp/view/attributes.ts';
import type { RedactionSettings } from './redaction-config.ts';

/** Keys of what happened to the attributes of one message, for `summary`; the lists are used again for the next. */
export class Findings {
  readonly redacted: string[] = [];
  readonly masked: string[] = [];
  readonly allowed: string[] = [];
  readonly ignored: string[] = [];

  clear(): void {
    for (const list of [this.redacted, this.masked, this.allowed, this.ignored]) if (list.length > 0) list.length = 0;
  }
}

/** Says in the attributes what happened to them; `place` is `body.` for what was found in a log body. */
export function summarize(attributes: AttributesView, place: '' | 'body.', found: Findings, summary: RedactionSettings['summary']): void {
  if (summary === 'silent') return;
  add(attributes, `redaction.${place}redacted`, found.redacted, summary === 'debug');
  add(attributes, `redaction.${place}masked`, found.masked, summary === 'debug');
  add(attributes, `redaction.${place}allowed`, found.allowed, summary === 'debug');
  add(attributes, `redaction.${place}ignored`, found.ignored, false);
}

/** addMetaAttrs upstream: what an earlier redaction has written is added to. */
function add(attributes: AttributesView, name: string, keys: readonly string[], namesThem: boolean): void {
  if (keys.length === 0) return;
  if (namesThem) {
    const before = attributes.get(`${name}.keys`);
    attributes.set(`${name}.keys`, sorted(typeof before === 'string' && before !== '' ? [...keys, ...before.split(',')] : keys).join(','));
  }
  const before = attributes.get(`${name}.count`);
  attributes.set(`${name}.count`, BigInt.asIntN(64, BigInt(keys.length) + (typeof before === 'bigint' ? before : 0n)));
}

/** By their bytes, as Go has it: which is the order of their UTF-16 units where none is beyond what takes one. */
function sorted(keys: readonly string[]): readonly string[] {
  if (keys.length < 2) return keys;
  if (!keys.some((key) => SURROGATE.test(key))) return keys.toSorted();
  return keys
    .map((key) => Buffer.from(key))
    .sort(Buffer.compare)
    .map((key) => key.toString());
}

const SURROGATE = /[\ud800-\udfff]/;

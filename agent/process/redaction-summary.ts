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
    attributes.set(`${name}.keys`, typeof before === 'string' && before !== '' ? joined([...keys, ...before.split(',')]) : listed(keys));
  }
  const before = attributes.get(`${name}.count`);
  attributes.set(`${name}.count`, BigInt.asIntN(64, BigInt(keys.length) + (typeof before === 'bigint' ? before : 0n)));
}

/** The same keys as the last time, mostly: they are compared, not sorted again. */
function listed(keys: readonly string[]): string {
  if (keys.length === lastKeys.length && keys.every((key, i) => key === lastKeys[i])) return lastList;
  lastKeys = [...keys];
  lastList = joined(keys);
  return lastList;
}

let lastKeys: readonly string[] = [];
let lastList = '';

function joined(keys: readonly string[]): string {
  return sorted(keys).join(',');
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

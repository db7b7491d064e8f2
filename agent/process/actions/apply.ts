import { type AttributeList, Key } from '../../otlp/attribute-list.ts';
import { type AnyValue, encodeAnyValue, encodeKeyValue } from '../../otlp/view/any-value.ts';
import { asBuffer } from '../../otlp/view/attributes.ts';
import { textFrom } from '../../ottl/bytes/byte-item.ts';
import type { Metadata } from '../process.ts';
import type { AttributeAction } from './action.ts';
import { converted, HASHED_BYTES, hashed, writeHashedText } from './convert.ts';

type Apply = (attributes: AttributeList, metadata: Metadata | undefined) => void;

/** Actions as one function, made once; what they set is encoded once, too. */
export function compileActions(actions: readonly AttributeAction[]): Apply {
  const steps = actions.map(compileAction);
  if (steps.length === 1) return steps[0] as Apply;
  return (attributes, metadata) => {
    for (const step of steps) step(attributes, metadata);
  };
}

function compileAction(action: AttributeAction): Apply {
  switch (action.action) {
    case 'delete':
      return deletion(action);
    case 'hash':
      return hash(action);
    case 'extract':
      return extract(action);
    case 'convert':
      return convert(action);
    default:
      return action.fromAttribute === undefined && action.fromMetadata === undefined ? setFixed(action) : setFromElsewhere(action);
  }
}

/** A value that is known now: the common case. */
function setFixed({ action, key: text, value, defaultValue }: AttributeAction): Apply {
  const key = new Key(text);
  const raw = encodeAnyValue(value ?? defaultValue);
  const whole = encodeKeyValue(text, raw);
  return (attributes) => {
    const i = attributes.find(key);
    if (i < 0) {
      if (action !== 'update') attributes.add(key, raw, whole);
    } else if (action !== 'insert') {
      attributes.set(i, raw);
    }
  };
}

/** The order of the sources is upstream's: metadata, another attribute, the default. */
function setFromElsewhere({ action, key: text, fromAttribute, fromMetadata, defaultValue }: AttributeAction): Apply {
  const key = new Key(text);
  const from = fromAttribute === undefined ? undefined : new Key(fromAttribute);
  const otherwise = defaultValue === undefined ? undefined : encodeAnyValue(defaultValue);
  const source = (attributes: AttributeList, metadata: Metadata | undefined): Uint8Array | undefined => {
    const values = fromMetadata === undefined ? undefined : metadata?.get(fromMetadata);
    if (values !== undefined && values.length > 0) return encodeAnyValue(values.join(';'));
    const other = from === undefined ? -1 : attributes.find(from);
    return other < 0 ? otherwise : attributes.raw(other);
  };
  return (attributes, metadata) => {
    const i = attributes.find(key);
    if (i < 0 ? action === 'update' : action === 'insert') return;
    const raw = source(attributes, metadata);
    if (raw === undefined) return;
    if (i < 0) attributes.add(key, raw);
    else attributes.set(i, raw);
  };
}

function deletion({ key: text, pattern }: AttributeAction): Apply {
  // Without a key upstream removes the attribute whose key is empty.
  const key = new Key(text);
  return (attributes) => {
    for (let i = attributes.find(key); i >= 0; i = attributes.find(key, i + 1)) attributes.remove(i);
    if (pattern === undefined) return;
    for (let i = 0; i < attributes.length; i += 1) if (!attributes.removed(i) && pattern.test(attributes.key(i))) attributes.remove(i);
  };
}

/** An attribute that key and pattern both mean is hashed twice, as upstream does it. */
function hash({ key: text, pattern }: AttributeAction): Apply {
  const key = new Key(text);
  const at = (attributes: AttributeList, i: number): void => {
    const raw = asBuffer(attributes.raw(i));
    const from = textFrom(raw, 0, raw.length);
    if (from < 0) {
      attributes.set(i, encodeAnyValue(hashed(attributes.value(i))));
      return;
    }
    const result = Buffer.allocUnsafe(HASHED_BYTES);
    writeHashedText(raw, from, raw.length, result, 0);
    attributes.set(i, result);
  };
  return (attributes) => {
    const i = attributes.find(key);
    if (i >= 0) at(attributes, i);
    if (pattern === undefined) return;
    for (let j = 0; j < attributes.length; j += 1) if (!attributes.removed(j) && pattern.test(attributes.key(j))) at(attributes, j);
  };
}

/** Only texts have parts. */
function extract({ key: text, pattern }: AttributeAction): Apply {
  if (pattern === undefined) throw new Error(`extract from ${text} has no pattern`);
  const key = new Key(text);
  const targets = pattern.names.slice(1).map((name) => new Key(name));
  return (attributes) => {
    const i = attributes.find(key);
    if (i < 0) return;
    const value = attributes.value(i);
    const groups = typeof value === 'string' ? pattern.groups(value) : undefined;
    if (groups === undefined) return;
    targets.forEach((target, group) => {
      const raw = encodeAnyValue(groups[group + 1]);
      const present = attributes.find(target);
      if (present < 0) attributes.add(target, raw);
      else attributes.set(present, raw);
    });
  };
}

function convert({ key: text, convertedType }: AttributeAction): Apply {
  if (convertedType === undefined) throw new Error(`convert of ${text} has no type`);
  const key = new Key(text);
  return (attributes) => {
    const i = attributes.find(key);
    if (i < 0) return;
    const value = attributes.value(i);
    const result = converted(value, convertedType);
    if (!same(result, value)) attributes.set(i, encodeAnyValue(result));
  };
}

function same(a: AnyValue, b: AnyValue): boolean {
  return typeof a === typeof b && Object.is(a, b);
}

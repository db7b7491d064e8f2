import type { BuildContext } from '../../config/component.ts';
import { asValue, type Field, leaf, optionalText, text } from '../../config/fields.ts';
import { compileGoRegExp, GoRegExp } from '../../config/go-regexp.ts';
import type { Output } from '../../config/section.ts';
import { type AnyValue, MAX_VALUE_DEPTH } from '../../otlp/view/any-value.ts';
import type { AttributeAction, AttributeActionKind, ConvertedType } from './action.ts';

/** Any YAML value; which of them fit is decided when the action is known. */
function anyValue(describe: string): Field<unknown> {
  return leaf<unknown>('any', { describe, default: undefined }, undefined, (value) => ({ value }));
}

/** The keys of one action. */
export const actionShape = {
  key: text({ describe: 'The attribute.', default: '' }),
  action: text({
    describe: 'insert (only where absent), update (only where present), upsert (both), delete, hash, extract or convert; in any case.',
    default: '',
  }),
  value: anyValue('Text, number, boolean, list or map to set. An environment variable that looks like a number is one.'),
  from_attribute: optionalText({ describe: 'Another attribute of the same place whose value is copied.' }),
  from_context: optionalText({
    describe: 'Request metadata whose values are copied, joined by ";": `metadata.x-tenant`. The receiver needs include_metadata.',
  }),
  default_value: anyValue('Set where no other source gives a value.'),
  pattern: optionalText({
    describe:
      'delete, hash: every key that matches this regular expression (Go syntax). extract: named groups, whose texts become attributes.',
  }),
  converted_type: optionalText({ describe: 'convert: string, int or double.' }),
};

export type ActionConfig = Output<typeof actionShape>;

const KINDS: readonly AttributeActionKind[] = ['insert', 'update', 'upsert', 'delete', 'hash', 'extract', 'convert'];
const TYPES: readonly ConvertedType[] = ['string', 'int', 'double'];

/** Actions of the section `list`. The rules, and their order, are those of NewAttrProc upstream. */
export function buildActions(configs: readonly ActionConfig[], list: string, context: BuildContext): AttributeAction[] {
  return configs.map((config, index) => new Builder(config, [list, index], context).build()).filter((action) => action !== undefined);
}

class Builder {
  readonly #config: ActionConfig;
  readonly #place: readonly (string | number)[];
  readonly #context: BuildContext;

  constructor(config: ActionConfig, place: readonly (string | number)[], context: BuildContext) {
    this.#config = config;
    this.#place = place;
    this.#context = context;
  }

  /** undefined where it reported a mistake. */
  build(): AttributeAction | undefined {
    const config = this.#config;
    const action = KINDS.find((kind) => kind === config.action.toLowerCase());
    if (action === undefined) return this.#wrong('action', `"${config.action}" is none of ${KINDS.join(', ')}`);
    const byPattern = action === 'delete' || action === 'hash';
    if (config.key === '' && !(byPattern && this.#has('pattern')))
      return this.#wrong('key', byPattern ? `${action} needs key or pattern` : 'is missing');
    switch (action) {
      case 'delete':
      case 'hash':
        return this.#unused(action, ['value', 'from_attribute', 'converted_type']) ?? this.#withPattern(action);
      case 'extract':
        return this.#unused(action, ['value', 'from_attribute', 'from_context', 'converted_type']) ?? this.#extract();
      case 'convert':
        return this.#unused(action, ['value', 'from_attribute', 'from_context', 'pattern']) ?? this.#convert();
      default:
        return this.#unused(action, ['pattern', 'converted_type']) ?? this.#set(action);
    }
  }

  /** Absent, empty and null are all "not written" upstream. */
  #has(key: keyof ActionConfig): boolean {
    const value = this.#config[key];
    return value !== undefined && value !== null && value !== '';
  }

  #wrong(key: string, message: string): undefined {
    this.#context.report('OTLP_CONFIG_VALUE', [...this.#place, key], message);
    return undefined;
  }

  /** Reports keys that this action does not read. The result is only there to be used with ??. */
  #unused(action: string, keys: readonly (keyof ActionConfig)[]): undefined {
    for (const key of keys) {
      // An empty text is a value, too.
      const isThere = key === 'value' ? this.#config.value !== undefined && this.#config.value !== null : this.#has(key);
      if (isThere) this.#wrong(key, `is not used by ${action}; remove it`);
    }
    return undefined;
  }

  #withPattern(action: 'delete' | 'hash'): AttributeAction | undefined {
    const { key } = this.#config;
    if (!this.#has('pattern')) return { action, key };
    const pattern = this.#pattern();
    return pattern === undefined ? undefined : { action, key, pattern };
  }

  #extract(): AttributeAction | undefined {
    if (!this.#has('pattern')) return this.#wrong('pattern', 'extract needs a pattern with named groups, as (?P<name>...)');
    const pattern = this.#pattern();
    if (pattern === undefined) return undefined;
    if (pattern.names.length <= 1) return this.#wrong('pattern', `"${pattern.source}" has no named group, as (?P<name>...)`);
    if (pattern.names.slice(1).includes(''))
      return this.#wrong('pattern', `"${pattern.source}" has a group without a name; write (?:...) or (?P<name>...)`);
    return { action: 'extract', key: this.#config.key, pattern };
  }

  #pattern(): GoRegExp | undefined {
    const source = this.#config.pattern as string;
    const pattern = compileGoRegExp(source);
    return pattern instanceof GoRegExp ? pattern : this.#wrong('pattern', `"${source}" is no regular expression: ${pattern.wrong}`);
  }

  #convert(): AttributeAction | undefined {
    const { key, converted_type: written } = this.#config;
    const convertedType = TYPES.find((type) => type === written);
    return convertedType === undefined
      ? this.#wrong('converted_type', `"${written ?? ''}" is none of ${TYPES.join(', ')}`)
      : { action: 'convert', key, convertedType };
  }

  #set(action: 'insert' | 'update' | 'upsert'): AttributeAction | undefined {
    const { key, value, from_attribute: fromAttribute, from_context: fromContext, default_value: otherwise } = this.#config;
    const hasValue = value !== undefined && value !== null;
    const sources = [hasValue, this.#has('from_attribute'), this.#has('from_context')].filter(Boolean).length;
    if (sources > 1) return this.#wrong('value', 'of value, from_attribute and from_context there may be one');
    const hasDefault = otherwise !== undefined && otherwise !== null;
    if (sources === 0 && !hasDefault)
      return this.#wrong(
        'value',
        `value, from_attribute, from_context or default_value must say what "${key}" is set to; an environment variable that is not set is no value`,
      );
    const fixed = hasValue ? this.#value('value', value) : undefined;
    const defaultValue = hasDefault ? this.#value('default_value', otherwise) : undefined;
    const fromMetadata = this.#has('from_context') ? this.#metadata(fromContext as string) : undefined;
    return {
      action,
      key,
      ...(hasValue ? { value: fixed } : {}),
      ...(this.#has('from_attribute') ? { fromAttribute: fromAttribute as string } : {}),
      ...(fromMetadata === undefined ? {} : { fromMetadata }),
      ...(hasDefault ? { defaultValue } : {}),
    };
  }

  /** `metadata.` is what a name without it means, too. */
  #metadata(written: string): string | undefined {
    if (written === 'client.address' || written.startsWith('auth.')) {
      const what = written === 'client.address' ? 'the address of the sender' : 'what an authenticator says';
      this.#context.report(
        'OTLP_CONFIG_UNSUPPORTED',
        [...this.#place, 'from_context'],
        `${what} is not supported yet, only metadata.<header>`,
      );
      return undefined;
    }
    return (written.startsWith('metadata.') ? written.slice('metadata.'.length) : written).toLowerCase();
  }

  #value(key: string, raw: unknown): AnyValue {
    try {
      return toAnyValue(raw);
    } catch (error) {
      return this.#wrong(key, (error as Error).message);
    }
  }
}

/** A YAML value as AnyValue (Value.FromRaw upstream). Throws with words for what has none. */
export function toAnyValue(input: unknown, depth = 0): AnyValue {
  const raw = asValue(input);
  if (depth > MAX_VALUE_DEPTH) throw new Error(`is nested more than ${MAX_VALUE_DEPTH} deep`);
  if (raw === undefined || raw === null) return undefined;
  if (typeof raw === 'string' || typeof raw === 'boolean' || typeof raw === 'number') return raw;
  // Upstream wraps unsigned integers into signed ones.
  if (typeof raw === 'bigint') return BigInt.asIntN(64, raw);
  if (Array.isArray(raw)) return raw.map((each) => toAnyValue(each, depth + 1));
  if (raw instanceof Date) throw new Error('is a date, which no attribute can hold; put it in quotes');
  if (typeof raw === 'object') return new Map(Object.entries(raw).map(([key, each]) => [key, toAnyValue(each, depth + 1)]));
  throw new Error('wants text, a number, a boolean, a list or a map');
}

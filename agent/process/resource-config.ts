import { type BuildContext, component } from '../config/component.ts';
import { type Field, leaf, optionalText, text } from '../config/fields.ts';
import type { Output } from '../config/section.ts';
import { section, sectionList } from '../config/section.ts';
import type { AttributeValue, ResourceAction, ResourceSettings } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';

/** Any YAML value; which of them fit is decided when the action is known. */
function anyValue(describe: string): Field<unknown> {
  return leaf<unknown>('any', { describe, default: undefined }, undefined, (value) => ({ value }));
}

const actionShape = {
  key: text({ describe: 'The resource attribute.', default: '' }),
  action: text({ describe: 'insert (only where absent), update (only where present), upsert (both) or delete; in any case.', default: '' }),
  value: anyValue('Text, number or boolean to set. An environment variable that looks like a number is one.'),
  from_attribute: optionalText({ describe: 'Another resource attribute whose value is copied.' }),
  from_context: optionalText({ describe: 'Request metadata whose value is copied. Not supported yet.' }),
  default_value: anyValue('Set where no other source is written.'),
  pattern: optionalText({ describe: 'delete: every key that matches this regular expression.' }),
  converted_type: optionalText({ describe: 'Of the action convert, which is not supported yet.' }),
};

const shape = { attributes: sectionList(actionShape, { describe: 'Actions, in order.' }) };

type ActionConfig = Output<typeof actionShape>;

const KNOWN_ELSEWHERE = ['hash', 'extract', 'convert'];

/** Processor `resource`. The rules are those of coreinternal/attraction upstream, which also looks only at processors that a pipeline uses. */
export const resourceProcessor = component<Output<typeof shape>, ResourceSettings>({
  type: 'resource',
  signals: SIGNALS,
  describe: 'Sets and removes resource attributes, in place: nothing is decoded.',
  config: section(shape, {
    describe: 'Sets and removes resource attributes.',
    check: ({ attributes }, report) => {
      if (attributes === undefined || attributes.length === 0) report('attributes', 'needs at least one action', 'OTLP_CONFIG_MISSING');
    },
  }),
  build: ({ attributes }, context) => {
    const actions = (attributes ?? []).map((config, index) => buildAction(config, index, context)).filter((action) => action !== undefined);
    return { kind: 'resource', id: context.id, actions };
  },
});

function buildAction(config: ActionConfig, index: number, context: BuildContext): ResourceAction | undefined {
  const wrong = (key: string, message: string): undefined => {
    context.report('OTLP_CONFIG_VALUE', ['attributes', index, key], message);
    return undefined;
  };
  const later = (key: string, message: string): undefined => {
    context.report('OTLP_CONFIG_UNSUPPORTED', ['attributes', index, key], message);
    return undefined;
  };
  const action = config.action.toLowerCase();
  if (KNOWN_ELSEWHERE.includes(action))
    return later('action', `the action "${action}" is not supported yet, only insert, update, upsert and delete`);
  if (action === 'delete') return deletion(config, wrong);
  if (action !== 'insert' && action !== 'update' && action !== 'upsert')
    return wrong('action', `"${config.action}" is none of insert, update, upsert, delete`);
  if (config.key === '') return wrong('key', 'is missing');
  if (config.from_context !== undefined && config.from_context !== '')
    return later('from_context', 'request metadata is not supported yet; use value');
  if (config.pattern !== undefined && config.pattern !== '') return wrong('pattern', `is not used by ${action}; remove it`);
  if (config.converted_type !== undefined && config.converted_type !== '')
    return wrong('converted_type', `is not used by ${action}; remove it`);
  const from = config.from_attribute === '' ? undefined : config.from_attribute;
  if (config.value !== undefined && from !== undefined) return wrong('value', 'value and from_attribute exclude each other');
  if (from !== undefined && config.default_value !== undefined)
    return later('default_value', 'beside from_attribute is not supported yet; remove it');
  if (from !== undefined) return { action, key: config.key, fromAttribute: from };
  const raw = config.value ?? config.default_value;
  const place = config.value === undefined ? 'default_value' : 'value';
  if (raw === undefined)
    return wrong(
      'value',
      `value, from_attribute or default_value must say what "${config.key}" is set to; an environment variable that is not set is no value`,
    );
  if (typeof raw === 'object') return later(place, 'only text, numbers and booleans are supported yet, no lists, maps and dates');
  return { action, key: config.key, value: raw as AttributeValue };
}

function deletion(config: ActionConfig, wrong: (key: string, message: string) => undefined): ResourceAction | undefined {
  const pattern = config.pattern ?? '';
  if (config.key === '' && pattern === '') return wrong('key', 'delete needs key or pattern');
  if (config.value !== undefined) return wrong('value', 'is not used by delete; remove it');
  if (config.from_attribute !== undefined && config.from_attribute !== '')
    return wrong('from_attribute', 'is not used by delete; remove it');
  if (config.converted_type !== undefined && config.converted_type !== '')
    return wrong('converted_type', 'is not used by delete; remove it');
  if (pattern === '') return { action: 'delete', key: config.key };
  const expression = goRegExp(pattern);
  return expression === undefined
    ? wrong('pattern', `"${pattern}" is no regular expression`)
    : { action: 'delete', key: config.key, pattern: expression };
}

/** Go writes flags in front, `(?i)abc`, and allows an escape before any punctuation, which JavaScript does only without its u flag. */
function goRegExp(pattern: string): RegExp | undefined {
  const flags = /^\(\?([ims]+)\)/u.exec(pattern);
  const body = pattern.slice(flags?.[0].length ?? 0).replaceAll('(?P<', '(?<');
  for (const unicode of ['u', '']) {
    try {
      return new RegExp(body, `${flags?.[1] ?? ''}${unicode}`);
    } catch {
      // tried without u next
    }
  }
  return undefined;
}

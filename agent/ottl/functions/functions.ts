import { closest, distance } from 'fastest-levenshtein';
import type { ContextName } from '../contexts/contexts.ts';
import { isRootSpan } from '../contexts/traces.ts';
import { OttlError } from '../errors.ts';
import type { Item } from '../item.ts';
import { literalString } from '../kinds.ts';
import { COLLECTION_CONVERTERS } from './collections.ts';
import { CONVERTERS } from './converters.ts';
import { define, type FunctionDefinition } from './define.ts';
import { EDITORS } from './editors.ts';
import { REPLACE_EDITORS } from './replace.ts';
import { TIME_CONVERTERS } from './times.ts';

export type FunctionSet = ReadonlyMap<string, FunctionDefinition>;

/** Functions that the Collector 0.155 has and this agent has not: they are an error that says so, instead of an unknown name. */
export const NOT_HERE: ReadonlySet<string> = new Set([
  'CommunityID',
  'ConvertAttributesToElementsXML',
  'ConvertTextToElementsXML',
  'Decode',
  'ExtractGrokPatterns',
  'Format',
  'FormatTime',
  'GetXML',
  'InsertXML',
  'Murmur3Hash',
  'Murmur3Hash128',
  'ParseCLF',
  'ParseCSV',
  'ParseLEEF',
  'ParseSeverity',
  'ParseSimplifiedXML',
  'ParseXML',
  'ProfileID',
  'RemoveXML',
  'Time',
  'URL',
  'UUIDv7',
  'UserAgent',
  'XXH128',
  'XXH3',
  'aggregate_on_attribute_value',
  'aggregate_on_attributes',
  'convert_exponential_histogram_to_histogram',
  'convert_gauge_to_sum',
  'convert_sum_to_gauge',
  'convert_summary_count_val_to_sum',
  'convert_summary_quantile_val_to_gauge',
  'convert_summary_sum_val_to_sum',
  'copy_metric',
  'extract_count_metric',
  'extract_percentile_metric',
  'extract_sum_metric',
  'merge_histogram_buckets',
  'scale_metric',
  'set_semconv_span_name',
]);

const IS_ROOT_SPAN = define('IsRootSpan', {}, () => isRootSpan);

/** Only conditions of metrics have these: of all data points, the first that has the key decides. */
const ON_DATA_POINTS: readonly FunctionDefinition[] = [
  define(
    'HasAttrKeyOnDatapoint',
    { key: literalString },
    ({ key }) =>
      (item) =>
        onDataPoint(item, key) !== undefined,
  ),
  define('HasAttrOnDatapoint', { key: literalString, expected_val: literalString }, ({ key, expected_val }) => (item) => {
    const found = onDataPoint(item, key);
    return found !== undefined && (typeof found.value === 'string' ? found.value : '') === expected_val;
  }),
];

function onDataPoint({ metric }: Item, key: string): { readonly value: unknown } | undefined {
  for (const { attributes } of metric?.dataPoints ?? []) if (attributes.has(key)) return { value: attributes.get(key) };
  return undefined;
}

const STANDARD_CONVERTERS = [...CONVERTERS, ...COLLECTION_CONVERTERS, ...TIME_CONVERTERS];

function setOf(definitions: readonly FunctionDefinition[]): FunctionSet {
  return new Map(definitions.map((each) => [each.name, each]));
}

/** What statements of a context may call. */
export function statementFunctions(context: ContextName): FunctionSet {
  const own = context === 'span' ? [IS_ROOT_SPAN] : [];
  return setOf([...EDITORS, ...REPLACE_EDITORS, ...STANDARD_CONVERTERS, ...own]);
}

/** What conditions of filter, and the `conditions` of transform, may call. */
export function conditionFunctions(context: ContextName): FunctionSet {
  const own = context === 'span' ? [IS_ROOT_SPAN] : context === 'metric' ? ON_DATA_POINTS : [];
  return setOf([...STANDARD_CONVERTERS, ...own]);
}

/** Whether a context knows the name, also where this agent lacks the function: for finding out what a statement is about. */
export function isKnownFunction(name: string, functions: FunctionSet): boolean {
  return functions.has(name) || NOT_HERE.has(name);
}

export function unknownFunction(name: string, functions: FunctionSet, at: number): never {
  const names = [...functions.keys()].filter((each) => startsUpper(each) === startsUpper(name)).sort();
  if (NOT_HERE.has(name)) throw new OttlError(`the function ${name} is not supported by this agent; it has ${names.join(', ')}`, at);
  const near = names.length === 0 ? undefined : closest(name, names);
  const hint = near !== undefined && distance(name, near) <= 3 ? `; did you mean ${near}?` : `; there are ${names.join(', ')}`;
  throw new OttlError(`unknown function ${name}${hint}`, at);
}

function startsUpper(name: string): boolean {
  return /^[A-Z]/u.test(name);
}

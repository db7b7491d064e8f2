import type { AnyValue } from '../../otlp/view/any-value.ts';
import { isList, isMap } from '../values.ts';

/**
 * flatten of pkg/ottl/ottlfuncs: `a.b.0` instead of maps and lists in each other, to a depth. Lists directly in lists lose the dot in
 * front of their inner index there ("a.01"), and do so here; empty maps and lists are gone.
 */
export function flattened(
  entries: Iterable<readonly [string, AnyValue]>,
  prefix: string,
  maxDepth: number,
  resolveConflicts: boolean,
): Map<string, AnyValue> {
  const result = new Map<string, AnyValue>();
  const conflicts = new Map<string, number>();

  const put = (key: string, value: AnyValue): void => {
    if (!resolveConflicts || !result.has(key)) {
      if (resolveConflicts) conflicts.set(key, 0);
      result.set(key, value);
      return;
    }
    const number = conflicts.get(key) ?? 0;
    conflicts.set(key, number + 1);
    result.set(`${key}.${number}`, value);
  };

  const flattenMap = (map: Iterable<readonly [string, AnyValue]>, name: string, depth: number): void => {
    const begin = name === '' ? '' : `${name}.`;
    for (const [key, value] of map) flattenValue(begin + key, value, depth);
  };

  const flattenValue = (key: string, value: AnyValue, depth: number): void => {
    if (isMap(value) && depth < maxDepth) {
      flattenMap(value.entries(), key, depth + 1);
    } else if (isList(value) && depth < maxDepth) {
      value.forEach((each, i) => {
        const name = `${key}.${i}`;
        if (isMap(each) && depth + 1 < maxDepth) flattenMap(each.entries(), name, depth + 2);
        else if (isList(each) && depth + 1 < maxDepth) {
          each.forEach((inner, k) => {
            flattenValue(name + k, inner, depth + 3);
          });
        } else put(resolveConflicts ? key : name, each);
      });
    } else {
      put(key, value);
    }
  };

  flattenMap(entries, prefix, 0);
  return result;
}

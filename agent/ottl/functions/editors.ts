import type { AnyValue } from '../../otlp/view/any-value.ts';
import { anyValueAsString } from '../../otlp/view/as-string.ts';
import { fromRaw, wantList } from '../convert.ts';
import { Failure } from '../errors.ts';
import type { Item } from '../item.ts';
import { anything, int, listOf, literalBool, literalInt, literalString, map, mapPath, optional, path, string } from '../kinds.ts';
import { entriesOf, frozen, GoSlice, isList, type Value } from '../values.ts';
import { define, type FunctionDefinition } from './define.ts';
import { flattened } from './flatten.ts';
import { keyPattern, patternOf } from './patterns.ts';
import { clippedText } from './text.ts';

/** Editors of pkg/ottl/ottlfuncs that change maps and lists. */
export const EDITORS: readonly FunctionDefinition[] = [
  define('set', { target: path, value: anything }, ({ target, value }) => (item) => {
    const found = value.get(item);
    // nil is never set (upstream: no field has a null).
    if (found !== undefined) target.set(item, found);
    return undefined;
  }),

  define('delete_key', { target: mapPath, key: string }, ({ target, key }) => (item) => {
    target.edit(item, (edited) => edited.delete(key.get(item)));
    return undefined;
  }),

  define('delete_matching_keys', { target: mapPath, pattern: string }, ({ target, pattern }) => {
    const compiled = patternOf(pattern, keyPattern);
    return (item) => {
      const { test } = compiled(item);
      target.edit(item, (edited) => edited.deleteIf(test));
      return undefined;
    };
  }),

  define('keep_keys', { target: mapPath, keys: listOf(string) }, ({ target, keys }) => {
    const keptOf = (item: Item): ReadonlySet<string> => new Set(keys.map((key) => key.get(item)));
    const known = keys.every((key) => key.constant !== undefined) ? new Set(keys.map((key) => key.constant?.value)) : undefined;
    return (item) => {
      target.edit(item, (edited) => {
        const kept = known ?? keptOf(item);
        edited.deleteIf((key) => !kept.has(key));
      });
      return undefined;
    };
  }),

  define('keep_matching_keys', { target: mapPath, pattern: string }, ({ target, pattern }) => {
    const compiled = patternOf(pattern, keyPattern);
    return (item) => {
      const { fails } = compiled(item);
      target.edit(item, (edited) => edited.deleteIf(fails));
      return undefined;
    };
  }),

  define('limit', { target: mapPath, limit: literalInt, priority_keys: listOf(literalString) }, ({ target, limit, priority_keys }) => {
    if (limit < BigInt(priority_keys.length))
      throw new Failure(`the limit ${limit} is below the number of priority keys, ${priority_keys.length}`);
    const priority = new Set(priority_keys);
    return (item) => {
      if (BigInt(target.get(item).size) <= limit) return undefined;
      target.edit(item, (edited) => {
        let count = BigInt(priority_keys.filter((key) => edited.has(key)).length);
        edited.deleteIf((key) => {
          if (priority.has(key)) return false;
          count += 1n;
          return count > limit;
        });
      });
      return undefined;
    };
  }),

  define('truncate_all', { target: mapPath, limit: literalInt, utf8_safe: optional(literalBool) }, ({ target, limit }) => {
    const bytes = Number(limit);
    return (item) => {
      target.edit(item, (edited) => edited.mapTexts((text) => clippedText(text, bytes), bytes));
      return undefined;
    };
  }),

  define('stringify_all', { target: mapPath }, ({ target }) => (item) => {
    target.edit(item, (edited) => edited.mapValues(anyValueAsString));
    return undefined;
  }),

  define('merge_maps', { target: mapPath, source: map, strategy: literalString }, ({ target, source, strategy }) => {
    if (!['insert', 'update', 'upsert'].includes(strategy))
      throw new Failure(`the strategy is "insert", "update" or "upsert", not "${strategy}"`);
    return (item) => {
      target.edit(item, (edited) => {
        for (const [key, value] of frozen(source.get(item)))
          if (strategy === 'upsert' || edited.has(key) === (strategy === 'update')) edited.set(key, value);
      });
      return undefined;
    };
  }),

  define(
    'flatten',
    { target: mapPath, prefix: optional(literalString), depth: optional(literalInt), resolve_conflicts: optional(literalBool) },
    ({ target, prefix, depth, resolve_conflicts }) => {
      if (depth !== undefined && depth < 1n) throw new Failure(`the depth ${depth} is below 1`);
      const maxDepth = depth === undefined ? Number.POSITIVE_INFINITY : Number(depth);
      return (item) => {
        target.set(item, flattened(entriesOf(target.get(item)), prefix ?? '', maxDepth, resolve_conflicts ?? false));
        return undefined;
      };
    },
  ),

  define('append', { target: path, value: optional(anything), values: optional(listOf(anything)) }, ({ target, value, values }) => {
    if (value === undefined && values === undefined) throw new Failure('wants value, values or both');
    const added = [...(value === undefined ? [] : [value]), ...(values ?? [])];
    return (item) => {
      const present = elementsOf(target.get(item));
      target.set(item, [...present, ...added.map((each) => fromRaw(each.get(item)))]);
      return undefined;
    };
  }),

  define('delete_index', { target: path, start_index: int, end_index: optional(int) }, ({ target, start_index, end_index }) => {
    return (item) => {
      const values = wantList(target.get(item));
      const start = start_index.get(item);
      const end = end_index === undefined ? start + 1n : end_index.get(item);
      const length = BigInt(values.length);
      if (!(start === 0n && end === length) && (start < 0n || start >= length || end < start || end > length))
        throw new Failure(`there is no [${start}:${end}] in a list of ${length}`);
      target.set(item, values.toSpliced(Number(start), Number(end - start)));
      return undefined;
    };
  }),
];

/** What append begins with: the elements of a list, or the one value that was there. */
function elementsOf(value: Value): readonly AnyValue[] {
  if (value === undefined) return [];
  if (isList(value)) return value;
  if (value instanceof GoSlice && value.of !== 'uint64') return value.items.map(fromRaw);
  return [fromRaw(value)];
}

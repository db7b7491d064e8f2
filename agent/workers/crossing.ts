import { compileGoRegExp, GoRegExp } from '../config/go-regexp.ts';
import type { AgentSettings } from '../config/settings.ts';

/**
 * Settings on their way to a worker. Structured clone takes all that they hold, maps, sets and big integers included, but for compiled
 * patterns: these cross as their source, and are compiled on the other side.
 */
export function pack(settings: AgentSettings): unknown {
  return mapped(settings, (value) => (value instanceof GoRegExp ? { [PATTERN]: value.source } : undefined));
}

export function unpack(packed: unknown): AgentSettings {
  return mapped(packed, (value) => {
    if (!(PATTERN in value)) return undefined;
    const pattern = compileGoRegExp(String(value[PATTERN]));
    if (!(pattern instanceof GoRegExp)) throw new Error(`a pattern that was compiled is none any more: ${pattern.wrong}`);
    return pattern;
  }) as AgentSettings;
}

const PATTERN = '__goRegExp';

/** A copy in which `replace` had its say on each object. */
function mapped(value: unknown, replace: (value: Readonly<Record<string, unknown>>) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const replaced = replace(value as Readonly<Record<string, unknown>>);
  if (replaced !== undefined) return replaced;
  const again = (one: unknown): unknown => mapped(one, replace);
  if (Array.isArray(value)) return value.map(again);
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [again(key), again(one)]));
  if (value instanceof Set) return new Set([...value].map(again));
  if (ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, again(one)]));
}

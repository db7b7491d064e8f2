import { ConfigError } from '../config/problems.ts';
import type { PathStep } from '../config/tree.ts';

/** How messages name a configuration that has no file. */
export const OBJECT_SOURCE = 'the configuration object';

/** Deeper than any configuration; an object inside of itself ends here. */
const MAX_DEPTH = 64;

/**
 * An object as YAML (JSON is YAML), so that objects and files are read by the same code: references are expanded, integers told from floats
 * as the file would have them. Keys that are undefined are left out.
 *
 * @throws ConfigError where a value has no YAML: a function, a Date, an object inside of itself
 */
export function yamlOf(value: unknown, path: readonly PathStep[] = []): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return yamlNumber(value);
    case 'object':
      return value === null ? 'null' : yamlObject(value, path);
    default:
      return fail(path, `a ${typeof value} is no value of a configuration`);
  }
}

function yamlNumber(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return String(value);
}

function yamlObject(value: object, path: readonly PathStep[]): string {
  if (path.length > MAX_DEPTH) return fail(path.slice(0, 3), 'is nested too deeply, or inside of itself');
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown, index) => (item === undefined ? 'null' : yamlOf(item, [...path, index]))).join(', ')}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a worker's message, vm) have another Object.prototype: it is the one without a prototype of its own.
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!plain) return fail(path, `a ${value.constructor.name} is no value of a configuration`);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${JSON.stringify(key)}: ${yamlOf(item, [...path, key])}`);
  return `{${entries.join(', ')}}`;
}

function fail(path: readonly PathStep[], message: string): never {
  const origin = { source: OBJECT_SOURCE, line: 0, column: 0 };
  throw new ConfigError([{ code: 'OTLP_CONFIG_TYPE', path, origin, message }]);
}

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

const CORPUS = fileURLToPath(new URL('../corpus/', import.meta.url));

/** Variables that the corpus refers to. */
export const CORPUS_ENVIRONMENT = { K8S_POD_NAME: 'pod-1', GATEWAY: 'gateway:4317' } as const;

export interface CorpusFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** Configurations inside of the grammar that agent and Collector share. */
export function corpus(): CorpusFile[] {
  const names = readdirSync(CORPUS).filter((name) => name.endsWith('.yaml'));
  return names.sort().map((name) => ({ name, path: `${CORPUS}${name}`, text: readFileSync(`${CORPUS}${name}`, 'utf8') }));
}

/** One change of one file. */
export interface Mutation {
  readonly file: string;
  readonly kind: MutationKind;
  /** `exporters.otlp.timeout: 5s -> "abc"` */
  readonly change: string;
  readonly text: string;
}

type Path = readonly (string | number)[];
type Random = () => number;

/** A place of the parsed file. */
interface Place {
  readonly path: Path;
  readonly value: unknown;
}

const KINDS = {
  'misspelt key': misspellKey,
  'removed key': removeKey,
  'unknown key': addKey,
  'wrong type': wrongType,
  'bad duration': badDuration,
  'number out of range': badNumber,
  'empty value': emptyValue,
  'dangling reference': danglingReference,
  'repeated reference': repeatReference,
  'empty list': emptyList,
  'wrong signal': wrongSignal,
  'unknown component': unknownComponent,
  'unknown choice': unknownChoice,
  'bad address': badAddress,
} as const;

export type MutationKind = keyof typeof KINDS;

/** mulberry32: small, and the same on every machine. */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` different single changes of the corpus; the same for the same seed. */
export function mutations(files: readonly CorpusFile[], seed: number, count: number): Mutation[] {
  const random = randomOf(seed);
  const kinds = Object.keys(KINDS) as MutationKind[];
  const found = new Map<string, Mutation>();
  for (let attempt = 0; found.size < count && attempt < count * 50; attempt += 1) {
    const kind = kinds[attempt % kinds.length] as MutationKind;
    const file = pick(files, random);
    const document: unknown = parse(file.text, { merge: true });
    const change = KINDS[kind](document, random);
    if (change === undefined) continue;
    const mutation = { file: file.name, kind, change, text: stringify(document, { aliasDuplicateObjects: false }) };
    found.set(mutation.text, mutation);
  }
  return [...found.values()];
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

function places(value: unknown, path: Path = []): Place[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  const own = path.length === 0 ? [] : [{ path, value }];
  return [...own, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, Array.isArray(value) ? Number(key) : key]))];
}

function some(document: unknown, random: Random, fits: (place: Place) => boolean): Place | undefined {
  const fitting = places(document).filter(fits);
  return fitting.length === 0 ? undefined : pick(fitting, random);
}

function parentOf(document: unknown, path: Path): Record<string | number, unknown> {
  let node = document as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) node = node[step] as Record<string | number, unknown>;
  return node;
}

function put(document: unknown, place: Place, value: unknown): string {
  parentOf(document, place.path)[place.path.at(-1) as string] = value;
  return `${place.path.join('.')}: ${JSON.stringify(place.value)} -> ${JSON.stringify(value)}`;
}

function rename(document: unknown, { path }: Place, name: string): string {
  const parent = parentOf(document, path);
  const entries = Object.entries(parent).map(([key, value]) => [key === path.at(-1) ? name : key, value] as const);
  for (const key of Object.keys(parent)) delete parent[key];
  for (const [key, value] of entries) parent[key] = value;
  return `${path.join('.')} -> ${name}`;
}

const isKey = ({ path }: Place): boolean => typeof path.at(-1) === 'string';
const isScalar = ({ value }: Place): boolean => typeof value !== 'object' || value === null;
const isReference = ({ path }: Place): boolean =>
  path[0] === 'service' &&
  typeof path.at(-1) === 'number' &&
  ['receivers', 'processors', 'exporters', 'extensions'].includes(String(path.at(-2)));
const isFreeName = ({ path }: Place): boolean =>
  ['headers', 'response_headers', 'resource', 'initial_fields'].includes(String(path.at(-2)));

function misspellKey(document: unknown, random: Random): string | undefined {
  const place = some(
    document,
    random,
    (candidate) => isKey(candidate) && !isFreeName(candidate) && String(candidate.path.at(-1)).length > 2,
  );
  if (place === undefined) return undefined;
  const name = String(place.path.at(-1));
  const at = 1 + Math.floor(random() * (name.length - 2));
  const swapped = name.slice(0, at) + name[at + 1] + name[at] + name.slice(at + 2);
  return rename(document, place, swapped === name ? `${name}x` : swapped);
}

function removeKey(document: unknown, random: Random): string | undefined {
  const place = some(document, random, isKey);
  if (place === undefined) return undefined;
  delete parentOf(document, place.path)[place.path.at(-1) as string];
  return `${place.path.join('.')} removed`;
}

function addKey(document: unknown, random: Random): string | undefined {
  const place = some(
    document,
    random,
    (candidate) => typeof candidate.value === 'object' && candidate.value !== null && !Array.isArray(candidate.value),
  );
  if (place === undefined) return undefined;
  (place.value as Record<string, unknown>).surprise = pick(['x', 1, true, null, {}], random);
  return `${place.path.join('.')}.surprise added`;
}

function wrongType(document: unknown, random: Random): string | undefined {
  const place = some(document, random, () => true);
  if (place === undefined) return undefined;
  const others: unknown[] = ['text', 17, true, ['a'], { a: 1 }, '17'];
  return put(
    document,
    place,
    pick(
      others.filter((other) => typeof other !== typeof place.value || Array.isArray(other) !== Array.isArray(place.value)),
      random,
    ),
  );
}

const DURATION = /^\d[\d.]*(?:ms|s|m|h)/u;

function badDuration(document: unknown, random: Random): string | undefined {
  const place = some(document, random, ({ value }) => typeof value === 'string' && DURATION.test(value));
  return place && put(document, place, pick(['5 s', '10', '1d', 's', '', '-1s', '1h-1m', '5S', '.s', '0'], random));
}

function badNumber(document: unknown, random: Random): string | undefined {
  const place = some(document, random, ({ value }) => typeof value === 'number');
  // The Collector makes a goroutine for each consumer before it looks any further, so a large number of those would never end.
  const large = place?.path.at(-1) === 'num_consumers' ? 100 : 1e12;
  return place && put(document, place, pick([0, -1, -1.5, 0.5, large, '12'], random));
}

function emptyValue(document: unknown, random: Random): string | undefined {
  const place = some(document, random, isKey);
  return place && put(document, place, null);
}

function danglingReference(document: unknown, random: Random): string | undefined {
  const place = some(document, random, isReference);
  return place && put(document, place, pick(['nosuch', `${String(place.value)}/other`, '', 'a b', 'otlp/', 7], random));
}

function repeatReference(document: unknown, random: Random): string | undefined {
  const place = some(document, random, isReference);
  if (place === undefined) return undefined;
  (parentOf(document, place.path) as unknown as unknown[]).push(place.value);
  return `${place.path.join('.')}: ${String(place.value)} repeated`;
}

function emptyList(document: unknown, random: Random): string | undefined {
  const place = some(document, random, ({ value }) => Array.isArray(value));
  return place && put(document, place, []);
}

function wrongSignal(document: unknown, random: Random): string | undefined {
  const place = some(document, random, ({ path }) => path.length === 3 && path[1] === 'pipelines');
  return place && rename(document, place, pick(['trace', 'spans', 'Traces', 'traces/', 'logs/x', '/x'], random));
}

function unknownComponent(document: unknown, random: Random): string | undefined {
  const place = some(document, random, ({ path }) => path.length === 2 && path[0] !== 'service');
  return place && rename(document, place, pick(['nosuch', 'otlp-grpc', 'otlp/', `${String(place.path[1])}/x`, '1otlp', 'Otlp'], random));
}

function unknownChoice(document: unknown, random: Random): string | undefined {
  const keys = ['compression', 'sizer', 'transport', 'balancer_name', 'action', 'verbosity', 'level', 'encoding'];
  const place = some(document, random, (candidate) => isScalar(candidate) && keys.includes(String(candidate.path.at(-1))));
  return place && put(document, place, pick(['bogus', 'GZIP', '', 5, true], random));
}

function badAddress(document: unknown, random: Random): string | undefined {
  const place = some(document, random, ({ path, value }) => typeof value === 'string' && String(path.at(-1)).endsWith('endpoint'));
  return place && put(document, place, pick(['', 'nohost', 'host:port', 'a:b:c', '[::1', 'http://', 'host:0', '::1:4317'], random));
}

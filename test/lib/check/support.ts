import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSnapshot, type Finding, type Snapshot, snapshotOf } from '../../../lib/check/index';

const FILES = ['stack.yaml', 'policies.yaml'] as const;
const texts = new Map(FILES.map((file) => [file, readFileSync(join(import.meta.dirname, 'fixtures', file), 'utf8')]));

/** One change of the good stack: a text that occurs (the given occurrence of it, the first by default) and what to write instead. */
export interface Mutation {
  readonly file?: (typeof FILES)[number];
  readonly from: string;
  readonly to: string;
  /** Everything before the first occurrence of this text stays as it is. */
  readonly after?: string;
}

/** The good stack with changes. A change whose text does not occur is an error: it would prove nothing. */
export function mutated(...mutations: readonly Mutation[]): Snapshot {
  const changed = new Map<string, string>(texts);
  for (const { file = 'stack.yaml', from, to, after = '' } of mutations) {
    const text = changed.get(file) ?? '';
    const start = text.indexOf(after);
    const at = start < 0 ? -1 : text.indexOf(from, start);
    if (at < 0) throw new Error(`${file} has no ${JSON.stringify(from)} after ${JSON.stringify(after)}`);
    changed.set(file, text.slice(0, at) + to + text.slice(at + from.length));
  }
  return snapshotOf([...changed].map(([file, text]) => ({ file, text })));
}

/** What a finding is about, without its words. */
export function brief({ rule, object, path }: Finding): string {
  return `${rule}: ${object} ${path}`;
}

/** The findings of the good stack with changes. */
export function findingsOf(...mutations: readonly Mutation[]): Finding[] {
  return checkSnapshot(mutated(...mutations));
}

/** The line of a fixture on which a text first stands, 1-based. */
export function lineOf(file: (typeof FILES)[number], text: string): number {
  const before = (texts.get(file) ?? '').split(text)[0] ?? '';
  return before.split('\n').length;
}

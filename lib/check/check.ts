import type { Finding } from './finding';
import { type ReadOptions, readSnapshot, type Snapshot } from './read/snapshot';
import { RULES } from './rules/index';

/**
 * Reads rendered manifests (files, or folders with everything below them) and says what does not agree.
 *
 * @throws ManifestReadError where a path does not exist, a file is not YAML, or nothing in them is a Kubernetes object
 */
export function check(paths: readonly string[], options: ReadOptions = {}): Finding[] {
  return checkSnapshot(readSnapshot(paths, options));
}

/** The findings of all rules over manifests that were read before. */
export function checkSnapshot(snapshot: Snapshot): Finding[] {
  return [...snapshot.unreadable, ...RULES.flatMap((rule) => rule.check(snapshot))];
}

import { readFileSync } from 'node:fs';
import type { Detected } from './detected.ts';

export interface DownwardDetectorSettings {
  /** Attribute to the environment variable that the pod's manifest fills from a fieldRef. */
  readonly variables: ReadonlyMap<string, string>;
  /** Files of a downwardAPI volume; '' is none. */
  readonly labelsFile: string;
  readonly annotationsFile: string;
  /** Labels and annotations that are taken; all where it is empty. */
  readonly labels: ReadonlySet<string>;
  readonly annotations: ReadonlySet<string>;
}

/**
 * Detector `kubernetes_downward`, ours: what Kubernetes tells a pod about itself without the API server (downward API): names from environment
 * variables, labels and annotations from files. Throws where a file that is named cannot be read.
 * https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
 */
export function detectDownward(settings: DownwardDetectorSettings, environment: Readonly<Record<string, string | undefined>>): Detected {
  const attributes = new Map<string, string>();
  for (const [attribute, variable] of settings.variables) {
    const value = environment[variable];
    if (value !== undefined && value !== '') attributes.set(attribute, value);
  }
  const take = (file: string, prefix: string, wanted: ReadonlySet<string>): void => {
    if (file === '') return;
    for (const [key, value] of parseDownwardFile(readFileSync(file, 'utf8')))
      if (wanted.size === 0 || wanted.has(key)) attributes.set(prefix + key, value);
  };
  take(settings.labelsFile, 'k8s.pod.label.', settings.labels);
  take(settings.annotationsFile, 'k8s.pod.annotation.', settings.annotations);
  return { attributes, schemaUrl: '' };
}

/** Lines `key="value"`, the value quoted as Go does it (fieldpath.FormatMap of Kubernetes). */
export function parseDownwardFile(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, quoted] = /^([^=]+)="(.*)"$/u.exec(line) ?? [];
    if (key !== undefined && quoted !== undefined) pairs.set(key, unquote(quoted));
  }
  return pairs;
}

const LETTERS: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** strconv.Quote of Go, back. */
function unquote(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gu, (_, x?: string, u?: string, long?: string, char = '') => {
    const hex = x ?? u ?? long;
    return hex === undefined ? (LETTERS[char as string] ?? (char as string)) : String.fromCodePoint(Number.parseInt(hex, 16));
  });
}

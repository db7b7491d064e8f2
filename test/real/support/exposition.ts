import { waitFor } from './wait.ts';

/** One metric family of a text exposition, as far as the catalogue records it. */
export interface MetricFamily {
  readonly name: string;
  /** As the `# TYPE` line says; `untyped` where there is none. */
  readonly type: string;
  readonly help: string;
  /** The union over its series, without `le` and `quantile`, sorted. */
  readonly labels: readonly string[];
}

interface Growing {
  type: string;
  help: string;
  labels: Set<string>;
  series: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+\S+/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"\s*,?/gy;
const SUFFIXES: { readonly [type: string]: readonly string[] } = {
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['_sum', '_count'],
};

/**
 * Reads the Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). Families without a series
 * are left out: a query on them finds nothing, so the catalogue must not promise them.
 */
export function parseExposition(text: string): MetricFamily[] {
  const families = new Map<string, Growing>();
  const family = (name: string): Growing => {
    const known = families.get(name) ?? { type: 'untyped', help: '', labels: new Set<string>(), series: 0 };
    families.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const comment = line.match(/^# (HELP|TYPE) (\S+) ?(.*)$/);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'TYPE') family(name).type = rest;
      else family(name).help = rest.replaceAll('\\n', ' ').replaceAll('\\\\', '\\');
      continue;
    }
    if (line.startsWith('#') || line.trim() === '') continue;
    const sample = line.match(SAMPLE);
    if (!sample) throw new Error(`not a line of the Prometheus text format: ${line.slice(0, 200)}`);
    const [, series = '', labels = ''] = sample;
    const target = family(familyOf(series, families));
    target.series += 1;
    for (const [, label = ''] of labels.matchAll(LABEL)) {
      if (label !== 'le' && label !== 'quantile') target.labels.add(label);
    }
  }
  return [...families]
    .filter(([, { series }]) => series > 0)
    .map(([name, { type, help, labels }]) => ({ name, type, help, labels: [...labels].sort() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Fetches and reads an address, asking for the classic text format. */
export async function scrape(url: string): Promise<MetricFamily[]> {
  const response = await fetch(url, { headers: { accept: 'text/plain;version=0.0.4' }, signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 200)}`);
  return parseExposition(text);
}

/**
 * Scrapes until the wanted families are there and three scrapes in a row show the same ones: programs that watch or flush on a timer
 * fill their list step by step.
 */
export async function scrapeSettled(url: string, wanted: readonly string[] = [], timeoutMs = 120_000): Promise<MetricFamily[]> {
  let last = '';
  let same = 0;
  const ask = async (): Promise<MetricFamily[] | false> => {
    const families = await scrape(url);
    const names = new Set(families.map(({ name }) => name));
    const missing = wanted.filter((name) => !names.has(name));
    if (missing.length > 0) throw new Error(`not there yet: ${missing.join(', ')}`);
    const seen = JSON.stringify(families);
    same = seen === last ? same + 1 : 0;
    last = seen;
    return same >= 2 && families;
  };
  return await waitFor(ask, { what: `a settled list of metrics at ${url}`, timeoutMs, intervalMs: 400 });
}

/** The families of several scrapes as one list: labels are joined, the first type and help stay. */
export function mergeFamilies(...scrapes: readonly (readonly MetricFamily[])[]): MetricFamily[] {
  const all = new Map<string, MetricFamily>();
  for (const family of scrapes.flat()) {
    const known = all.get(family.name);
    if (known === undefined) all.set(family.name, family);
    else all.set(family.name, { ...known, labels: [...new Set([...known.labels, ...family.labels])].sort() });
  }
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function familyOf(series: string, families: ReadonlyMap<string, Growing>): string {
  if (families.has(series)) return series;
  for (const [type, suffixes] of Object.entries(SUFFIXES)) {
    for (const suffix of suffixes) {
      const name = series.endsWith(suffix) ? series.slice(0, -suffix.length) : '';
      if (families.get(name)?.type === type) return name;
    }
  }
  return series;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricFact, MetricKind } from '../../model.ts';
import type { PartialFacts } from '../store.mts';
import { requiredModuleFolder } from './go-module.mts';

const MODULE = 'k8s.io/kube-state-metrics/v2';

/** Reads upstream's tables of metrics, docs/metrics/GROUP/*.md, at one version. */
export function recordKubeStateMetrics(version: string, run: boolean): PartialFacts {
  const folder = join(requiredModuleFolder(MODULE, `v${version}`), 'docs/metrics');
  const metrics = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((group) => readdirSync(join(folder, group.name)).map((file) => `${group.name}/${file}`))
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => readTable(readFileSync(join(folder, file), 'utf8'), `upstream@v${version}`, `${MODULE}/docs/metrics/${file}`));
  const where = `${MODULE}/pkg/options/options.go`;
  const source = `upstream@v${version}`;
  return {
    program: 'kube-state-metrics',
    version,
    title: 'kube-state-metrics',
    run,
    ...(run ? {} : { note: 'Not run: read in the tables of its documentation.' }),
    ports: [
      { name: 'http-metrics', port: 8080, transport: 'TCP', protocol: 'http', path: '/metrics', source, where },
      { name: 'http-telemetry', port: 8081, transport: 'TCP', protocol: 'http', path: '/metrics', source, where },
    ],
    metrics,
  };
}

/** Rows are `| name | type | description | unit | labels | ...`; a pipe inside of a cell is escaped. Columns differ from file to file. */
function readTable(text: string, source: string, where: string): MetricFact[] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  const cells = (row: string): string[] =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
  const header = cells(rows[0] ?? '').map((cell) => cell.toLowerCase());
  const column = (name: string): number => header.findIndex((cell) => cell.includes(name));
  const [name, type, labels, description, unit] = [
    column('metric name'),
    column('metric type'),
    column('label'),
    column('description'),
    column('unit'),
  ];
  return rows
    .slice(2)
    .map(cells)
    .filter((row) => /^kube_\w+$/.test(row[name] ?? ''))
    .map((row) => ({
      name: row[name] ?? '',
      // Info and state sets are gauges in the text format.
      type: ((row[type] ?? '').toLowerCase() === 'counter' ? 'counter' : 'gauge') as MetricKind,
      help: (description < 0 ? '' : (row[description] ?? '')).replaceAll('\\|', '|'),
      ...(unit >= 0 && row[unit] ? { unit: (row[unit] ?? '').replace(/<br>.*/, '').trim() } : {}),
      labels: labelNames(row[labels] ?? ''),
      endpoint: 'objects',
      when: 'an object that has the field; not seen in the recorded run',
      source,
      where,
    }));
}

function labelNames(cell: string): string[] {
  const names = [...cell.matchAll(/`([a-z_][a-zA-Z0-9_]*)`\s*=/g)].map(([, label = '']) => label);
  // `label_POD_LABEL` stands for labels of the object, which need an allow list.
  return [...new Set(names.filter((label) => !/[A-Z]/.test(label)))].sort();
}

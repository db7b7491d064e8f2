import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricFact, MetricKind } from '../../model.ts';
import type { PartialFacts } from '../store.mts';
import { requiredModuleFolder } from './go-module.mts';

const VERSION = '2.21.0';
const FILE = 'pkg/metricscollector/prommetrics.go';

/** Reads the declarations of the operator's own metrics in its source. */
export function recordKeda(): PartialFacts {
  const folder = requiredModuleFolder('github.com/kedacore/keda/v2', `v${VERSION}`);
  const source = readFileSync(join(folder, FILE), 'utf8');
  const shared = [...source.matchAll(/(\w+)\s*=\s*\[\]string\{([^}]*)\}/g)];
  const labelLists = new Map(shared.map(([, name = '', list = '']) => [name, strings(list)]));
  const declared =
    /prometheus\.New(Gauge|Counter|Histogram)(?:Vec)?\(\s*prometheus\.\w+Opts\{([\s\S]*?)\n\t+\},\s*(?:\[\]string\{([^}]*)\}|(\w+))?/g;
  const metrics = [...source.matchAll(declared)].map(([, type = '', options = '', list, name]): MetricFact => {
    const option = (key: string): string => options.match(new RegExp(`${key}:\\s*"([^"]*)"`))?.[1] ?? '';
    return {
      name: ['keda', option('Subsystem'), option('Name')].filter((part) => part).join('_'),
      type: type.toLowerCase() as MetricKind,
      help: option('Help'),
      labels: (list === undefined ? (labelLists.get(name ?? '') ?? []) : strings(list)).sort(),
      endpoint: 'operator',
      source: `upstream@v${VERSION}`,
      where: `github.com/kedacore/keda/${FILE}`,
    };
  });
  const at = { source: `upstream@v${VERSION}`, where: 'github.com/kedacore/keda/config' } as const;
  return {
    program: 'keda',
    version: VERSION,
    title: 'KEDA',
    run: false,
    note: 'Not run: a prerequisite of the cluster. Read in its source.',
    ports: [
      { name: 'https-metrics', port: 6443, transport: 'TCP', protocol: 'https', ...at },
      { name: 'http-metrics', port: 8080, transport: 'TCP', protocol: 'http', path: '/metrics', ...at },
      { name: 'http-health', port: 8081, transport: 'TCP', protocol: 'http', path: '/healthz', ...at },
      { name: 'https-webhooks', port: 9443, transport: 'TCP', protocol: 'https', ...at },
      { name: 'grpc-metrics', port: 9666, transport: 'TCP', protocol: 'grpc', ...at },
    ],
    metrics,
  };
}

function strings(list: string): string[] {
  return [...list.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text);
}

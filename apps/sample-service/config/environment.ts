/** What the environment says, as layers over the file: `OTLP__SECTION__KEY` first, the standard `OTEL_*` variables above them. */
import { SERVICE_CONFIG_KEYS } from '../config.ts';
import { hint } from './problems.ts';

export type Environment = { readonly [name: string]: string | undefined };

/** One value and the words that name where it came from. */
export interface Entry {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly source: string;
}

const OVERRIDE_PREFIX = 'OTLP__';

const asIs = (text: string): unknown => text;
// OTEL_* timeouts are whole milliseconds without a unit.
// @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
const milliseconds = (text: string): unknown => (/^\d+$/.test(text) ? `${text}ms` : text);
const otlpOrNone = (text: string): unknown => (text === 'otlp' ? true : text === 'none' ? false : text);

const STANDARD: readonly (readonly [name: string, path: string, read: (text: string) => unknown])[] = [
  ['OTEL_SERVICE_NAME', 'service.name', asIs],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'exporter.protocol', asIs],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'exporter.endpoint', asIs],
  ['OTEL_EXPORTER_OTLP_COMPRESSION', 'exporter.compression', asIs],
  ['OTEL_EXPORTER_OTLP_TIMEOUT', 'exporter.timeout', milliseconds],
  ['OTEL_BSP_MAX_QUEUE_SIZE', 'batch.queue_size', asIs],
  ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'batch.export_size', asIs],
  ['OTEL_BSP_SCHEDULE_DELAY', 'batch.delay', milliseconds],
  ['OTEL_METRIC_EXPORT_INTERVAL', 'metrics.interval', milliseconds],
  ['OTEL_LOGS_EXPORTER', 'logs.export', otlpOrNone],
];

/** `OTLP__BATCH__QUEUE_SIZE=100` -> batch.queue_size. Empty counts as unset, as with `OTEL_*`. Unknown names become problems. */
export function overrides(env: Environment, problems: string[]): Entry[] {
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(OVERRIDE_PREFIX) || !value) continue;
    const path = name.slice(OVERRIDE_PREFIX.length).toLowerCase().split('__');
    const [section = '', key = ''] = path;
    const keys = SERVICE_CONFIG_KEYS[section];
    if (!keys) {
      problems.push(`${name}: no section '${section}'; ${hint(section, Object.keys(SERVICE_CONFIG_KEYS))}`);
    } else if (path.length !== 2 || !keys.includes(key)) {
      problems.push(`${name}: no key '${path.slice(1).join('__')}' in section '${section}'; ${hint(key, keys)}`);
    } else if (section === 'resource') {
      entries.push(...attributeEntries(name, value, problems));
    } else {
      entries.push({ path, value, source: name });
    }
  }
  return entries;
}

/** The `OTEL_*` variables that are values of production.yaml too. */
export function standard(env: Environment, problems: string[]): Entry[] {
  const entries: Entry[] = [];
  for (const [name, path, read] of STANDARD) {
    const text = env[name]?.trim();
    if (text) entries.push({ path: path.split('.'), value: read(text), source: name });
  }
  const attributes = env.OTEL_RESOURCE_ATTRIBUTES?.trim();
  if (attributes) entries.unshift(...attributeEntries('OTEL_RESOURCE_ATTRIBUTES', attributes, problems));
  return entries;
}

/** `a=1,b=2` with percent-encoded values. @see https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable */
function attributeEntries(source: string, text: string, problems: string[]): Entry[] {
  const entries: Entry[] = [];
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at).trim();
    if (at < 1 || key === '') {
      problems.push(`${source}: '${pair.trim()}' is no key=value pair; write for instance k8s.cluster.name=blue,team=shop`);
      continue;
    }
    try {
      entries.push({ path: ['resource', 'attributes', key], value: decodeURIComponent(pair.slice(at + 1).trim()), source });
    } catch {
      problems.push(`${source}: the value of '${key}' is not percent-encoded correctly: '${pair.slice(at + 1).trim()}'; write % as %25`);
    }
  }
  return entries;
}

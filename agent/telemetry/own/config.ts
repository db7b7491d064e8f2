import { parsePort, splitHostPort } from '../../config/address.ts';
import type { BuildContext } from '../../config/component.ts';
import { bool, choice, type Field, float, headers, integer, text, unsupported } from '../../config/fields.ts';
import type { Output } from '../../config/section.ts';
import { optionalSection, section, sectionList } from '../../config/section.ts';
import type { Compression, Signal, SocketAddress } from '../../config/settings.ts';
import { SIGNAL_FACTS } from '../../otlp/signals.ts';
import type { OwnDestination, OwnTraces } from './settings.ts';

const NO_TLS = 'TLS is not supported yet; remove the key and send in plain text';
const ONLY_OTLP = 'only the exporter otlp is supported';

const otlpShape = {
  protocol: choice(['http/protobuf', 'http/json', 'grpc', ''], { describe: 'grpc, http/protobuf or http/json.', default: 'http/protobuf' }),
  endpoint: text({ describe: 'http://host:port; over HTTP `/v1/<signal>` is added where there is no path.', default: '' }),
  headers: headers({ describe: 'Headers sent with every request.', default: {} }),
  compression: choice(['gzip', 'none', ''], { describe: 'gzip or none.', default: 'none' }),
  timeout: integer({ describe: 'Milliseconds for one attempt.', default: 10_000 }),
  insecure: bool({ describe: 'Sends without TLS; so does an endpoint that begins with http://.', default: false }),
  certificate: unsupported('Part of TLS.', NO_TLS),
  client_certificate: unsupported('Part of TLS.', NO_TLS),
  client_key: unsupported('Part of TLS.', NO_TLS),
};

const exporterShape = {
  otlp: optionalSection(otlpShape, { describe: 'OTLP.', absent: 'off', empty: 'off' }),
  console: unsupported('Standard output.', ONLY_OTLP),
  zipkin: unsupported('Zipkin.', ONLY_OTLP),
};

const processorShape = {
  batch: optionalSection(
    {
      schedule_delay: integer({ describe: 'Milliseconds between two sendings.', default: 5000 }),
      export_timeout: integer({ describe: 'Milliseconds.', default: 30_000, inert: 'exporter.otlp.timeout holds for one attempt' }),
      max_queue_size: integer({ describe: 'What is kept between two sendings; more is dropped.', default: 2048 }),
      max_export_batch_size: integer({ describe: 'Of one request.', default: 512, inert: 'what is there goes out in one request' }),
      exporter: section(exporterShape, { describe: 'Where to.' }),
    },
    { describe: 'Sends at intervals.', absent: 'off', empty: 'off' },
  ),
  simple: unsupported('Sends each by itself.', 'only the processor batch is supported'),
};

const NO_MORE = 'only always_on, always_off, trace_id_ratio_based and parent_based with one of them as its root are supported';

function rootSampler(): Record<string, Field<unknown>> {
  return {
    always_on: optionalSection({}, { describe: 'Every delivery.', absent: 'off' }) as Field<unknown>,
    always_off: optionalSection({}, { describe: 'None.', absent: 'off' }) as Field<unknown>,
    trace_id_ratio_based: optionalSection(
      { ratio: float({ describe: 'Share from 0 to 1.', default: 1 }) },
      { describe: 'A share of the deliveries.', absent: 'off' },
    ) as Field<unknown>,
  };
}

const samplerShape = {
  ...rootSampler(),
  parent_based: optionalSection(
    {
      root: section(rootSampler(), { describe: 'Deliveries have no parent: this one decides.' }),
      remote_parent_sampled: unsupported('Of parents.', NO_MORE),
    },
    { describe: 'As its root.', absent: 'off' },
  ) as Field<unknown>,
};

/** `processors` of service.telemetry.traces and .logs, in the declarative configuration's words (otelconf v0.3). */
export function ownProcessors(): Field<readonly Output<typeof processorShape>[] | undefined> {
  return sectionList(processorShape, { describe: 'Where it is sent; at most one processor `batch` with an exporter `otlp`.' });
}

/** `sampler` of service.telemetry.traces. */
export function ownSampler(): Field<unknown> {
  return optionalSection(samplerShape, { describe: 'Which deliveries are recorded.', absent: 'off', empty: 'off' }) as Field<unknown>;
}

type Processors = readonly Output<typeof processorShape>[] | undefined;

export function ownTraces(processors: Processors, sampler: unknown, context: BuildContext): OwnTraces | undefined {
  const destination = ownDestination('traces', processors, context);
  return destination === undefined ? undefined : { ...destination, ratio: ratioOf(sampler) };
}

export function ownLogs(processors: Processors, context: BuildContext): OwnDestination | undefined {
  return ownDestination('logs', processors, context);
}

interface Sampler {
  readonly always_off?: object | undefined;
  readonly trace_id_ratio_based?: { readonly ratio: number } | undefined;
  readonly parent_based?: { readonly root: Sampler } | undefined;
}

function ratioOf(sampler: unknown): number {
  const { always_off: off, trace_id_ratio_based: share, parent_based: parent } = (sampler ?? {}) as Sampler;
  if (off !== undefined) return 0;
  if (share !== undefined) return Math.min(1, Math.max(0, share.ratio));
  return parent === undefined ? 1 : ratioOf(parent.root);
}

function ownDestination(signal: 'traces' | 'logs', processors: Processors, context: BuildContext): OwnDestination | undefined {
  if (processors === undefined || processors.length === 0) return undefined;
  const report = (message: string): undefined => {
    context.report('OTLP_CONFIG_UNSUPPORTED', [signal, 'processors'], message);
    return undefined;
  };
  const [first, second] = processors;
  const otlp = first?.batch?.exporter.otlp;
  if (second !== undefined || first?.batch === undefined || otlp === undefined)
    return report(`exactly one batch processor with an exporter otlp is supported, there are ${processors.length} processors`);
  const { endpoint, insecure, protocol } = otlp;
  if (!endpoint.startsWith('http://') && !insecure)
    return report(`"${endpoint}" is not http://, and TLS is not supported yet; write insecure: true to send in plain text`);
  const bare = endpoint.replace(/^http:\/\//u, '');
  const common = {
    headers: Object.fromEntries(Object.entries(otlp.headers).map(([name, value]) => [name.toLowerCase(), value])),
    compression: (otlp.compression === 'gzip' ? 'gzip' : 'none') as Compression,
    timeoutMs: Math.max(1, otlp.timeout),
    flushMs: Math.max(10, first.batch.schedule_delay),
    maxItems: Math.max(1, first.batch.max_queue_size),
  };
  if (protocol === 'grpc') {
    const address = addressOf(bare);
    if (address === undefined) return report(`"${endpoint}" is no http://host:port`);
    return { protocol, address, ...common };
  }
  const url = urlOf(signal, `http://${bare}`);
  if (url === undefined) return report(`"${endpoint}" is no URL`);
  return { protocol: protocol === 'http/json' ? 'http/json' : 'http/protobuf', url, ...common };
}

function addressOf(target: string): SocketAddress | undefined {
  const parts = splitHostPort(target.replace(/\/$/u, ''));
  const port = typeof parts === 'string' ? undefined : parsePort(parts.port);
  return typeof parts === 'string' || port === undefined || parts.host === '' ? undefined : { kind: 'tcp', host: parts.host, port };
}

function urlOf(signal: Signal, endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return undefined;
  const url = new URL(endpoint);
  if (url.pathname === '' || url.pathname === '/') url.pathname = SIGNAL_FACTS[signal].httpPath;
  return url.href;
}

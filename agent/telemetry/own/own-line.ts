import type { ExporterSettings, Signal } from '../../config/settings.ts';
import { createOutlet } from '../../export/create-outlet.ts';
import type { Outlet } from '../../export/outlet.ts';
import { jsonToProto } from '../../otlp/json/json.ts';
import { Chunk, type Hold } from '../../runtime/chunk.ts';
import { Receipt } from '../../runtime/receipt.ts';
import { VERSION } from '../../runtime/version.ts';
import { Counters } from '../counters.ts';
import type { Log } from '../log.ts';
import type { OwnDestination } from './settings.ts';

/** Requests of its own that may wait for a destination that is away; then the oldest goes. */
const QUEUED_REQUESTS = 20;
/** What the agent says of itself is old after this time. */
const GIVE_UP_MS = 60_000;

const NOTHING_HELD: Hold = { charging: () => true, retain: () => {}, release: () => {}, charge: () => {}, taint: () => {} };

/** An item in OTLP/JSON. */
export type OwnItem = Readonly<Record<string, unknown>>;

/**
 * Sends what the agent says of itself: items are gathered, and go out at intervals over an export line of their own.
 * May drop: items above max_queue_size between two sendings, and requests that the destination does not take for a minute; counted.
 * The line has its own counters and a log that nothing is made of, so nothing is ever said about this very sending.
 */
export class OwnLine {
  readonly #signal: Signal;
  readonly #settings: OwnDestination;
  readonly #resource: OwnItem;
  readonly #outlet: Outlet;
  readonly #counters: Counters;
  #items: OwnItem[] = [];
  #overflowed = 0;
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    signal: Signal,
    settings: OwnDestination,
    resource: Readonly<Record<string, string>>,
    outlet: Outlet,
    counters: Counters,
  ) {
    this.#signal = signal;
    this.#settings = settings;
    this.#resource = { attributes: attributes({ 'service.name': 'otlp-agent', 'service.version': VERSION, ...resource }) };
    this.#outlet = outlet;
    this.#counters = counters;
  }

  static async create(signal: Signal, settings: OwnDestination, resource: Readonly<Record<string, string>>, log: Log): Promise<OwnLine> {
    const counters = new Counters();
    const outlet = await createOutlet(exporterSettings(signal, settings), signal, undefined, { log, counters });
    return new OwnLine(signal, settings, resource, outlet, counters);
  }

  add(item: OwnItem): void {
    if (this.#items.length >= this.#settings.maxItems) {
      this.#overflowed += 1;
      return;
    }
    this.#items.push(item);
    this.#timer ??= setTimeout(() => this.flush(), this.#settings.flushMs).unref();
  }

  /** Items that were sent, and those that were not and never will be. */
  get totals(): { readonly sent: number; readonly dropped: number } {
    let sent = 0;
    let dropped = this.#overflowed;
    for (const one of this.#counters.exporters) {
      sent += one.sent;
      dropped += one.sendFailed + one.evicted + one.enqueueFailed;
    }
    return { sent, dropped };
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const items = this.#items;
    if (items.length === 0) return;
    this.#items = [];
    const bytes = jsonToProto(this.#signal, Buffer.from(JSON.stringify(envelope(this.#signal, this.#resource, items))));
    const chunk = new Chunk(this.#signal, [bytes], bytes.length, items.length, performance.now(), new Receipt(1, () => {}), NOTHING_HELD);
    if (this.#outlet.offer(chunk) === 'full') this.#outlet.enqueueFailed(chunk);
  }

  /** Sends the rest, as long as `deadline` lets it. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.flush();
    await this.#outlet.drain(deadline);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#outlet.close();
  }
}

export function attributes(values: Readonly<Record<string, unknown>>): OwnItem[] {
  return Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]));
}

function anyValue(value: unknown): OwnItem {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: value } : { doubleValue: value };
  return { stringValue: typeof value === 'string' ? value : JSON.stringify(value) };
}

function envelope(signal: Signal, resource: OwnItem, items: readonly OwnItem[]): OwnItem {
  const scope = { name: 'otlp-stack-agent', version: VERSION };
  return signal === 'traces'
    ? { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: items }] }] }
    : { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: items }] }] };
}

function exporterSettings(signal: Signal, settings: OwnDestination): ExporterSettings {
  const common = {
    id: `service.telemetry.${signal}`,
    compression: settings.compression,
    headers: settings.headers,
    timeoutMs: settings.timeoutMs,
    queue: { enabled: true, consumers: 1, capacity: QUEUED_REQUESTS, sizer: 'requests', overflow: 'drop_oldest', waitForResult: false },
    retry: {
      enabled: true,
      initialIntervalMs: 1000,
      randomizationFactor: 0.5,
      multiplier: 2,
      maxIntervalMs: 10_000,
      maxElapsedMs: GIVE_UP_MS,
    },
  } as const;
  if (settings.address !== undefined && settings.address.kind === 'tcp') {
    const { address } = settings;
    return { kind: 'otlp_grpc', address, authority: `${address.host}:${address.port}`, ...common };
  }
  const url = settings.url ?? '';
  return {
    kind: 'otlp_http',
    urls: { traces: url, metrics: url, logs: url, profiles: url },
    encoding: settings.protocol === 'http/json' ? 'json' : 'proto',
    maxConnections: 1,
    idleConnectionTimeoutMs: 90_000,
    keepAlives: true,
    ...common,
  };
}

import type { Signal } from '../config/settings.ts';

/**
 * What is counted, as plain numbers: the path adds, the metrics endpoint reads when it is asked (a plain field takes 220 M additions a
 * second, a metrics client's counter 7 M). All fields stand in the constructor, so that the shapes stay one.
 */
export class ReceiverCounters {
  readonly receiver: string;
  readonly transport: 'grpc' | 'http' | 'library';
  readonly signal: Signal;
  /** Items of every request that was read and scanned. received = accepted + refused + failed + pending. */
  received = 0;
  accepted = 0;
  /** Items of requests that the sender was told to send again or that the next hop did not want. */
  refused = 0;
  /** Items of requests that ended by a fault of ours. */
  failed = 0;
  /** Items whose sender waits for its answer. */
  pending = 0;
  /** Requests by how they ended, also those without known items: key is `ok` or the code of admit/errors.ts. */
  readonly requests = new Map<string, number>();

  constructor(receiver: string, transport: 'grpc' | 'http' | 'library', signal: Signal) {
    this.receiver = receiver;
    this.transport = transport;
    this.signal = signal;
  }

  request(code: string): void {
    this.requests.set(code, (this.requests.get(code) ?? 0) + 1);
  }
}

/** One processor of one pipeline; `dropped` by what it refuses or filters. */
export class ProcessorCounters {
  readonly processor: string;
  /** The component's type: memory_limiter, resource, filter ... */
  readonly kind: string;
  readonly signal: Signal;
  incoming = 0;
  outgoing = 0;
  /** memory_limiter: items let through. */
  accepted = 0;
  /** memory_limiter: items refused after the body was read; those refused before have no known items. */
  refused = 0;
  /** memory_limiter: requests refused before the body was read. */
  refusedRequests = 0;
  /** filter: items dropped; those of refused requests are not among them. */
  filtered = 0;
  /** filter, transform: statements and conditions that failed on a piece of data, whatever their error_mode. */
  failures = 0;
  /** probabilistic_sampler: what was kept and what was not, by what decided: `trace_id_hash`, `sampling_priority` ... */
  readonly sampled = new Map<string, { kept: number; dropped: number }>();

  constructor(processor: string, kind: string, signal: Signal) {
    this.processor = processor;
    this.kind = kind;
    this.signal = signal;
  }

  sampledBy(policy: string): { kept: number; dropped: number } {
    const present = this.sampled.get(policy);
    if (present !== undefined) return present;
    const added = { kept: 0, dropped: 0 };
    this.sampled.set(policy, added);
    return added;
  }
}

/** One connector at the end of pipelines of one signal. */
export class ConnectorCounters {
  readonly connector: string;
  readonly signal: Signal;
  /** Items of the pipelines that end in it. */
  consumed = 0;
  /** Items that it handed on, before the pipelines that it begins drop any. */
  produced = 0;
  /** Derived items that a pipeline behind it refused: nobody waits for them. */
  lost = 0;

  constructor(connector: string, signal: Signal) {
    this.connector = connector;
    this.signal = signal;
  }
}

/** One exporter for one signal. offered = sent + sendFailed + enqueueFailed + evicted + queued. */
export class ExporterCounters {
  readonly exporter: string;
  readonly signal: Signal;
  /** Labels beside `exporter`, as the Collector prints them: server_address, server_port, url_path. */
  readonly labels: Readonly<Record<string, string>>;
  /** False for exporters without a queue: the Collector prints no queue gauges for them. */
  readonly hasQueue: boolean;
  offered = 0;
  sent = 0;
  sendFailed = 0;
  /** A fan-out's items that this exporter had no room for while another one took them. */
  enqueueFailed = 0;
  /** drop_oldest, and what was left at the drain deadline. */
  evicted = 0;
  /** Items in the queue, in flight ones included. */
  queued = 0;
  /** The queue in its own sizer's unit. */
  queueSize = 0;
  queueCapacity = 0;
  inFlight = 0;
  /** What the last attempt failed with, for now; empty where it did not. */
  failing = '';
  /** Attempts that ended with `retry`. */
  retries = 0;
  /** Those of them that named a time to wait (RetryInfo, Retry-After). */
  throttled = 0;
  /** Items of `sendFailed` by why: a closed set of words (export-line.ts). */
  readonly losses = new Map<string, number>();
  /** Bytes of bodies on the wire, and before compression. */
  wireBytes = 0;
  bodyBytes = 0;

  constructor(exporter: string, signal: Signal, labels: Readonly<Record<string, string>>, hasQueue: boolean) {
    this.exporter = exporter;
    this.signal = signal;
    this.labels = labels;
    this.hasQueue = hasQueue;
  }

  lost(reason: string, items: number): void {
    this.losses.set(reason, (this.losses.get(reason) ?? 0) + items);
  }

  /** Adds the sums of a line that has ended; nothing of it is queued or in flight any more. */
  inherit(ended: ExporterCounters): void {
    this.offered += ended.offered;
    this.sent += ended.sent;
    this.sendFailed += ended.sendFailed;
    this.enqueueFailed += ended.enqueueFailed;
    this.evicted += ended.evicted;
    this.retries += ended.retries;
    this.throttled += ended.throttled;
    for (const [reason, items] of ended.losses) this.lost(reason, items);
    this.wireBytes += ended.wireBytes;
    this.bodyBytes += ended.bodyBytes;
  }
}

/** What the guard over the memory of the process did. */
export interface MemoryCounters {
  /** Forced collections. */
  collections: number;
  /** Above the limit in spite of them. */
  pressed: boolean;
}

/** All counters of one agent. They outlive reloads: a series that was once printed goes on. */
export class Counters {
  readonly receivers: ReceiverCounters[] = [];
  readonly processors: ProcessorCounters[] = [];
  readonly connectors: ConnectorCounters[] = [];
  /** May name an exporter twice, while a reload's old line drains: readers add them up. */
  readonly exporters: ExporterCounters[] = [];
  /** Connections that spoke no HTTP, ping floods and the like, by kind. */
  readonly connectionErrors = new Map<string, number>();
  /** Reloads of the configuration, by how they ended. */
  readonly reloads = { success: 0, failure: 0, /** Seconds since 1970. */ lastSuccess: Date.now() / 1000 };

  readonly memory: MemoryCounters = { collections: 0, pressed: false };

  connectionError(kind: string): void {
    this.connectionErrors.set(kind, (this.connectionErrors.get(kind) ?? 0) + 1);
  }

  receiver(id: string, transport: ReceiverCounters['transport'], signal: Signal): ReceiverCounters {
    const same = (one: ReceiverCounters): boolean => one.receiver === id && one.transport === transport && one.signal === signal;
    return findOrAdd(this.receivers, same, () => new ReceiverCounters(id, transport, signal));
  }

  /** One for a processor and signal, however many pipelines name it, as the Collector counts. */
  processor(id: string, kind: string, signal: Signal): ProcessorCounters {
    const same = (one: ProcessorCounters): boolean => one.processor === id && one.kind === kind && one.signal === signal;
    return findOrAdd(this.processors, same, () => new ProcessorCounters(id, kind, signal));
  }

  connector(id: string, signal: Signal): ConnectorCounters {
    const same = (one: ConnectorCounters): boolean => one.connector === id && one.signal === signal;
    return findOrAdd(this.connectors, same, () => new ConnectorCounters(id, signal));
  }

  /** The line of an exporter has ended: its sums live on in one place for each exporter, however often it is replaced. */
  retire(ended: ExporterCounters): void {
    const at = this.exporters.indexOf(ended);
    if (at < 0) return;
    const labels = JSON.stringify(ended.labels);
    const same = (one: ExporterCounters): boolean =>
      one !== ended && one.exporter === ended.exporter && one.signal === ended.signal && JSON.stringify(one.labels) === labels;
    const heir = this.exporters.find(same);
    ended.queueCapacity = 0;
    if (heir === undefined) return;
    this.exporters.splice(at, 1);
    heir.inherit(ended);
  }
}

function findOrAdd<T>(list: T[], same: (one: T) => boolean, make: () => T): T {
  const present = list.find(same);
  if (present !== undefined) return present;
  const made = make();
  list.push(made);
  return made;
}

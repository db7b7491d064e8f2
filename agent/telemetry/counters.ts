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
  readonly kind: 'memory_limiter' | 'resource';
  readonly signal: Signal;
  incoming = 0;
  outgoing = 0;
  /** memory_limiter: items let through. */
  accepted = 0;
  /** memory_limiter: items refused after the body was read; those refused before have no known items. */
  refused = 0;
  /** memory_limiter: requests refused before the body was read. */
  refusedRequests = 0;

  constructor(processor: string, kind: 'memory_limiter' | 'resource', signal: Signal) {
    this.processor = processor;
    this.kind = kind;
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
  /** Attempts that ended with `retry`. */
  retries = 0;
  /** Bytes of bodies on the wire, and before compression. */
  wireBytes = 0;
  bodyBytes = 0;

  constructor(exporter: string, signal: Signal, labels: Readonly<Record<string, string>>, hasQueue: boolean) {
    this.exporter = exporter;
    this.signal = signal;
    this.labels = labels;
    this.hasQueue = hasQueue;
  }
}

/** All counters of one agent. */
export class Counters {
  readonly receivers: ReceiverCounters[] = [];
  readonly processors: ProcessorCounters[] = [];
  readonly exporters: ExporterCounters[] = [];
  /** Connections that spoke no HTTP, ping floods and the like, by kind. */
  readonly connectionErrors = new Map<string, number>();

  connectionError(kind: string): void {
    this.connectionErrors.set(kind, (this.connectionErrors.get(kind) ?? 0) + 1);
  }
}

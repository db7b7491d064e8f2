import { SIGNALS, type Signal } from '../../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../../agent/otlp/signals.ts';
import { scan } from '../../../../agent/otlp/wire.ts';
import { decode, type Message } from '../../kit/otlp.ts';

/** One request as a scripted next hop got it. */
export interface Received {
  /** The how manieth request of this next hop, from 1. */
  readonly n: number;
  readonly signal: Signal;
  /** After decompression. */
  readonly body: Buffer;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `performance.now()` when it was complete. */
  readonly at: number;
  /** Numbers the connections. */
  readonly connection: number;
}

/** What a next hop remembers, and waiting for more of it. */
export class Journal {
  readonly received: Received[] = [];
  /** Connections that were opened. */
  connections = 0;
  #waiting: (() => void)[] = [];

  add(one: Omit<Received, 'n' | 'at'>): Received {
    const received: Received = { ...one, n: this.received.length + 1, at: performance.now() };
    this.received.push(received);
    return received;
  }

  /** To be called after each change. */
  changed(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  /** Resolves when `done` says so; looks again at each change. */
  async until(done: (received: readonly Received[]) => boolean): Promise<void> {
    while (!done(this.received)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The requests that hold this service. */
  of(service: string): Received[] {
    return this.received.filter((one) => services(one).includes(service));
  }
}

export const byPath = (path: string, key: 'grpcPath' | 'httpPath'): Signal | undefined =>
  SIGNALS.find((signal) => SIGNAL_FACTS[signal][key] === path);

interface ResourceMessage extends Message {
  readonly resource?: { readonly attributes?: readonly { readonly key: string; readonly value?: { readonly stringValue?: string } }[] };
}

const FIELDS: Readonly<Record<Signal, string>> = {
  traces: 'resourceSpans',
  metrics: 'resourceMetrics',
  logs: 'resourceLogs',
  profiles: 'resourceProfiles',
};

/** A body of protobuf or JSON as a plain object. */
export function messageOf({ signal, body, contentType }: Received): Message {
  return contentType.includes('json') ? (JSON.parse(body.toString()) as Message) : decode(signal, body);
}

/** The resources of a request. */
export function resourcesOf(received: Received): ResourceMessage[] {
  return (messageOf(received)[FIELDS[received.signal]] ?? []) as ResourceMessage[];
}

/** service.name of each resource: what tells the requests of a test apart (kit/otlp.ts, `request`). */
export function services(received: Received): string[] {
  return resourcesOf(received).map(
    ({ resource }) => resource?.attributes?.find((one) => one.key === 'service.name')?.value?.stringValue ?? '',
  );
}

/** Spans, data points, log records or samples of a request. */
export function itemsOf({ signal, body }: Received): number {
  const found = scan(signal, body);
  return found.ok ? found.items : -1;
}

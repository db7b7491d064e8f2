import type { Counters } from './counters.ts';

/** Where every item is, as agent.md and docs/reference/agent-books state it. All numbers are items. */
export interface Books {
  readonly receivers: readonly ReceiverBook[];
  readonly exporters: readonly ExporterBook[];
  readonly total: {
    readonly received: number;
    readonly accepted: number;
    readonly refused: number;
    readonly failed: number;
    readonly sent: number;
    readonly sendFailed: number;
    readonly evicted: number;
    readonly queued: number;
  };
}

/** received = accepted + refused + failed + pending */
export interface ReceiverBook {
  readonly receiver: string;
  readonly transport: string;
  readonly signal: string;
  readonly received: number;
  readonly accepted: number;
  readonly refused: number;
  readonly failed: number;
  readonly pending: number;
}

/** offered = sent + sendFailed + enqueueFailed + evicted + queued */
export interface ExporterBook {
  readonly exporter: string;
  readonly signal: string;
  readonly offered: number;
  readonly sent: number;
  readonly sendFailed: number;
  readonly enqueueFailed: number;
  readonly evicted: number;
  readonly queued: number;
}

export function booksOf(counters: Counters): Books {
  const receivers = counters.receivers.map(({ receiver, transport, signal, received, accepted, refused, failed, pending }) => ({
    receiver,
    transport,
    signal,
    received,
    accepted,
    refused,
    failed,
    pending,
  }));
  const exporters = counters.exporters.map(({ exporter, signal, offered, sent, sendFailed, enqueueFailed, evicted, queued }) => ({
    exporter,
    signal,
    offered,
    sent,
    sendFailed,
    enqueueFailed,
    evicted,
    queued,
  }));
  return totalsOf(receivers, exporters);
}

/** Books of these parts. */
export function totalsOf(receivers: readonly ReceiverBook[], exporters: readonly ExporterBook[]): Books {
  const sum = <T>(list: readonly T[], of: (one: T) => number): number => list.reduce((total, one) => total + of(one), 0);
  return {
    receivers,
    exporters,
    total: {
      received: sum(receivers, (one) => one.received),
      accepted: sum(receivers, (one) => one.accepted),
      refused: sum(receivers, (one) => one.refused),
      failed: sum(receivers, (one) => one.failed),
      sent: sum(exporters, (one) => one.sent),
      sendFailed: sum(exporters, (one) => one.sendFailed),
      evicted: sum(exporters, (one) => one.evicted),
      queued: sum(exporters, (one) => one.queued),
    },
  };
}

/** The equations that do not hold, in words; empty where the books balance. */
export function imbalances(books: Books): string[] {
  const found: string[] = [];
  for (const one of books.receivers) {
    const right = one.accepted + one.refused + one.failed + one.pending;
    if (one.received !== right) {
      found.push(
        `${one.receiver}/${one.transport} ${one.signal}: received ${one.received} is not accepted ${one.accepted} + refused ${one.refused} + failed ${one.failed} + pending ${one.pending}`,
      );
    }
  }
  for (const one of books.exporters) {
    const right = one.sent + one.sendFailed + one.enqueueFailed + one.evicted + one.queued;
    if (one.offered !== right) {
      found.push(
        `${one.exporter} ${one.signal}: offered ${one.offered} is not sent ${one.sent} + send_failed ${one.sendFailed} + enqueue_failed ${one.enqueueFailed} + evicted ${one.evicted} + queued ${one.queued}`,
      );
    }
  }
  return found;
}

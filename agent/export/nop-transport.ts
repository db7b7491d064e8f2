import type { Signal } from '../config/settings.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import type { Encoded, Transport } from './transport.ts';

const DELIVERED = Promise.resolve<Outcome>(OK);

/**
 * Exporter `nop`: success for everything.
 * In:       merged requests. Out: nothing.
 * May drop: all of it, as asked; counted as sent, as upstream does.
 * Counters: otelcol_exporter_sent_*. Decodes nothing.
 * Bench:    test/bench/agent-components
 */
export class NopTransport implements Transport {
  readonly labels = {};

  encode(signal: Signal, slices: readonly Uint8Array[], bytes: number, items: number): Encoded {
    return { signal, slices, bytes, items, encoding: 'identity' };
  }

  send(): Promise<Outcome> {
    return DELIVERED;
  }

  async close(): Promise<void> {}
}

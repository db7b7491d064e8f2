import type { DebugExporterSettings, Signal } from '../config/settings.ts';
import { SIGNAL_FACTS } from '../otlp/signals.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import type { Encoded, Transport } from './transport.ts';

/** Exporter `debug`: says what would have been sent. `normal` and `detailed` add sizes; contents are not decoded for a log line. */
export class DebugTransport implements Transport {
  readonly labels = {};
  readonly #settings: DebugExporterSettings;
  readonly #info: (event: string, fields: object) => void;

  constructor(settings: DebugExporterSettings, info: (event: string, fields: object) => void) {
    this.#settings = settings;
    this.#info = info;
  }

  encode(signal: Signal, slices: readonly Uint8Array[], bytes: number, items: number): Encoded {
    return { signal, slices, bytes, items, encoding: 'identity' };
  }

  send(body: Encoded): Promise<Outcome> {
    const fields = { exporter: this.#settings.id, signal: body.signal, items: body.items };
    const detail = this.#settings.verbosity === 'basic' ? {} : { bytes: body.bytes, slices: body.slices.length };
    this.#info(SIGNAL_FACTS[body.signal].itemWord, { ...fields, ...detail });
    return Promise.resolve(OK);
  }

  async close(): Promise<void> {}
}

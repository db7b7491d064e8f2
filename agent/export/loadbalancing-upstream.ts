import type { Endpoint } from '../balance/endpoint.ts';
import type { BatchSettings, OtlpGrpcExporterSettings, Signal } from '../config/settings.ts';
import type { Outcome } from '../runtime/outcome.ts';
import type { BackendCounters } from '../telemetry/balance-metrics.ts';
import type { Log } from '../telemetry/log.ts';
import { compress } from './compress.ts';
import { ExportLine, type GiveBack } from './export-line.ts';
import type { Fate } from './grpc-call.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { grpcLabels } from './grpc-transport.ts';
import type { Encoded, Transport } from './transport.ts';

/** Hears of every attempt. */
export type Attempted = (outcome: Outcome, fate: Fate) => void;

/** OTLP over gRPC to one upstream of a balancer, which hears of every attempt. */
class UpstreamTransport implements Transport {
  readonly labels: Readonly<Record<string, string>>;
  readonly #settings: OtlpGrpcExporterSettings;
  readonly #channel: GrpcChannel;
  readonly #backend: BackendCounters;
  readonly #attempted: Attempted;

  constructor(settings: OtlpGrpcExporterSettings, backend: BackendCounters, attempted: Attempted) {
    this.#settings = settings;
    this.labels = grpcLabels(settings);
    this.#channel = new GrpcChannel(settings, settings.address);
    this.#backend = backend;
    this.#attempted = attempted;
  }

  encode(signal: Signal, slices: readonly Uint8Array[], bytes: number, items: number): Encoded | Promise<Encoded> {
    return compress(this.#settings.compression, undefined, signal, slices, bytes, items);
  }

  send(body: Encoded): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const begun = performance.now();
    this.#channel.send(body, (outcome, fate) => {
      this.#backend.attempted(outcome.kind === 'ok', performance.now() - begun);
      this.#attempted(outcome, fate);
      resolve(outcome);
    });
    return promise;
  }

  async close(): Promise<void> {
    this.#channel.close();
  }
}

/** What all lines of one balancer share. */
export interface UpstreamHost {
  readonly id: string;
  readonly signal: Signal;
  /** Settings of each line, but for its address. */
  readonly template: OtlpGrpcExporterSettings;
  readonly batch: BatchSettings | undefined;
  readonly log: Log;
}

/** A line of its own for one upstream: queue, batches, retries, connections. What happens there does not reach the others. */
export function upstreamLine(
  { id, signal, template, batch, log }: UpstreamHost,
  { key, host, port }: Endpoint,
  backend: BackendCounters,
  attempted: Attempted,
  giveBack: GiveBack,
): ExportLine {
  const authority = template.authority === '' ? key : template.authority;
  const settings: OtlpGrpcExporterSettings = { ...template, id, authority, address: { kind: 'tcp', host, port } };
  return new ExportLine(settings, signal, batch, new UpstreamTransport(settings, backend, attempted), logOf(log, key), giveBack);
}

/** Lines of the log say which upstream they are of. */
function logOf(log: Log, upstream: string): Log {
  return {
    debug: (event, fields) => log.debug(event, { ...fields, upstream }),
    info: (event, fields) => log.info(event, { ...fields, upstream }),
    warn: (event, fields) => log.warn(event, { ...fields, upstream }),
    error: (event, fields) => log.error(event, { ...fields, upstream }),
  };
}

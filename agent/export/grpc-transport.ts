import type { OtlpGrpcExporterSettings } from '../config/settings.ts';
import type { Outcome } from '../runtime/outcome.ts';
import { compress } from './compress.ts';
import { GrpcChannel } from './grpc-channel.ts';
import type { Encoded, Transport } from './transport.ts';

/** OTLP over gRPC to one address; a name is resolved at each connect. Several addresses: grpc-balanced-transport.ts. */
export class GrpcTransport implements Transport {
  readonly labels: Readonly<Record<string, string>>;
  readonly #settings: OtlpGrpcExporterSettings;
  readonly #channel: GrpcChannel;

  constructor(settings: OtlpGrpcExporterSettings) {
    this.#settings = settings;
    this.labels = grpcLabels(settings);
    this.#channel = new GrpcChannel(settings, settings.address);
  }

  encode(...body: Parameters<Transport['encode']>): Encoded | Promise<Encoded> {
    return compress(this.#settings.compression, undefined, ...body);
  }

  send(body: Encoded): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#channel.send(body, resolve);
    return promise;
  }

  async close(): Promise<void> {
    this.#channel.close();
  }
}

/** The labels that the Collector prints for an exporter. */
export function grpcLabels({ address }: Pick<OtlpGrpcExporterSettings, 'address'>): Record<string, string> {
  return address.kind === 'tcp' ? { server_address: address.host, server_port: String(address.port) } : { server_address: address.path };
}

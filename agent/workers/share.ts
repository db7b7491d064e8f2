import type {
  AgentSettings,
  ExporterSettings,
  GrpcServerSettings,
  HttpServerSettings,
  OtlpReceiverSettings,
  QueueSettings,
  SocketAddress,
} from '../config/settings.ts';

/** One of several workers. */
export interface Place {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/**
 * The settings of one worker. What people set is that of the process, so counts are shared out and their sum is what was written: queues,
 * consumers, connections. Bytes are not: the workers have them in common (shared-budget.ts). `addresses` are those that the first worker
 * got, so that all have the same port where 0 was asked for.
 */
export function shareOf(settings: AgentSettings, place: Place, addresses: Readonly<Record<string, SocketAddress>>): AgentSettings {
  return {
    ...settings,
    receivers: mapValues(settings.receivers, (receiver) => receiverShare(receiver, place, addresses)),
    exporters: mapValues(settings.exporters, (exporter) => exporterShare(exporter, place)),
    // Once for the process, by the main thread.
    extensions: [],
  };
}

/** The part of `total` that is this worker's: the parts differ by 1 at most, and none is 0. */
export function part(total: number, { index, count }: Place): number {
  if (!Number.isFinite(total) || total <= 0) return total;
  return Math.max(1, Math.floor(total / count) + (index < total % count ? 1 : 0));
}

function receiverShare(
  receiver: OtlpReceiverSettings,
  place: Place,
  addresses: Readonly<Record<string, SocketAddress>>,
): OtlpReceiverSettings {
  const serverShare = <S extends GrpcServerSettings | HttpServerSettings>(server: S | undefined, name: string): S | undefined => {
    // A unix socket has one listener.
    if (server === undefined || (server.address.kind === 'unix' && place.index > 0)) return undefined;
    const limits = { ...server.limits, maxConnections: part(server.limits.maxConnections, place) };
    return { ...server, limits, address: sharedAddress(server.address, addresses[name]) };
  };
  const grpc = serverShare(receiver.grpc, `${receiver.id}/grpc`);
  const http = serverShare(receiver.http, `${receiver.id}/http`);
  return { id: receiver.id, ...(grpc === undefined ? {} : { grpc }), ...(http === undefined ? {} : { http }) };
}

function sharedAddress(wanted: SocketAddress, got: SocketAddress | undefined): SocketAddress {
  if (wanted.kind === 'unix') return wanted;
  const port = wanted.port === 0 && got?.kind === 'tcp' ? got.port : wanted.port;
  return { kind: 'tcp', host: wanted.host, port, reusePort: true };
}

function exporterShare<E extends ExporterSettings>(exporter: E, place: Place): E {
  const queue: QueueSettings = {
    ...exporter.queue,
    capacity: part(exporter.queue.capacity, place),
    consumers: part(exporter.queue.consumers, place),
  };
  switch (exporter.kind) {
    case 'otlp_grpc': {
      const { connections } = exporter;
      return { ...exporter, queue, ...(connections && { connections: { ...connections, max: part(connections.max, place) } }) };
    }
    case 'otlp_http':
      return { ...exporter, queue, maxConnections: part(exporter.maxConnections, place) };
    case 'loadbalancing':
      return { ...exporter, queue, upstream: exporterShare(exporter.upstream, place) };
    default:
      return { ...exporter, queue };
  }
}

function mapValues<T>(record: Readonly<Record<string, T>>, map: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

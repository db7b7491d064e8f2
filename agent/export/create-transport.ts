import { sharedResolver } from '../balance/shared-resolver.ts';
import type { ExporterSettings, Signal } from '../config/settings.ts';
import type { Log } from '../telemetry/log.ts';
import { DebugTransport } from './debug-transport.ts';
import { FileTransport } from './file-transport.ts';
import { GrpcTransport } from './grpc-transport.ts';
import type { LoadBalancingSettings } from './loadbalancing-config.ts';
import { NopTransport } from './nop-transport.ts';
import type { Transport } from './transport.ts';

/** The transport of an exporter for one signal. What is large is loaded only where it is used. */
export async function createTransport(
  settings: Exclude<ExporterSettings, LoadBalancingSettings>,
  signal: Signal,
  log: Log,
): Promise<Transport> {
  switch (settings.kind) {
    case 'otlp_grpc': {
      if (settings.balance === undefined) return new GrpcTransport(settings);
      const { GrpcBalancedTransport } = await import('./grpc-balanced-transport.ts');
      return new GrpcBalancedTransport(settings, settings.balance, sharedResolver(settings.balance.resolver, log), log);
    }
    case 'otlp_http': {
      const { HttpTransport } = await import('./http-transport.ts');
      return await HttpTransport.create(settings, signal);
    }
    case 'debug':
      return new DebugTransport(settings, (event, fields) => log.info(event, fields));
    case 'file':
      return await FileTransport.open(settings, log);
    case 'nop':
      return new NopTransport();
  }
}

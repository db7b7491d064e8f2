import type { BatchSettings, ExporterSettings, Signal } from '../config/settings.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
import { createTransport } from './create-transport.ts';
import { ExportLine } from './export-line.ts';
import type { Outlet } from './outlet.ts';

/** What surrounds an exporter. */
export interface OutletHost {
  readonly log: Log;
  /** Where it registers the counters of its lines. */
  readonly counters: Counters;
}

/** The line of an exporter for one signal; `batch` is that of the pipeline's batch processor. Nothing is dialled yet. */
export async function createOutlet(
  settings: ExporterSettings,
  signal: Signal,
  batch: BatchSettings | undefined,
  { log, counters }: OutletHost,
): Promise<Outlet> {
  if (settings.kind === 'loadbalancing') {
    const { createLoadBalancingLine } = await import('./loadbalancing-create.ts');
    return await createLoadBalancingLine(settings, signal, batch, { log, counters });
  }
  const transport = await createTransport(settings, signal, log);
  const line = new ExportLine(settings, signal, batch, transport, log);
  counters.exporters.push(line.counters);
  return line;
}

import { sharedResolver } from '../balance/shared-resolver.ts';
import type { BatchSettings, Signal } from '../config/settings.ts';
import type { LoadBalancingSettings } from './loadbalancing-config.ts';
import { type LoadBalancingHost, LoadBalancingLine } from './loadbalancing-line.ts';

/** So long a start waits for the resolver's first answer; without it requests are told to come again. */
const FIRST_ANSWER_MS = 2_000;

/** The line of a loadbalancing exporter, with its upstreams where the resolver has said them in time. */
export async function createLoadBalancingLine(
  settings: LoadBalancingSettings,
  signal: Signal,
  batch: BatchSettings | undefined,
  host: LoadBalancingHost,
): Promise<LoadBalancingLine> {
  const line = new LoadBalancingLine(settings, signal, batch, sharedResolver(settings.resolver, host.log), host);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FIRST_ANSWER_MS);
  });
  await Promise.race([line.start(), late]);
  clearTimeout(timer);
  return line;
}

import type { AgentSettings } from '../config/settings.ts';
import type { Log } from '../telemetry/log.ts';
import { Detection } from './detect/detection.ts';

/** What processors have to know before they can be made, by id. */
export type Prepared = ReadonlyMap<string, Detection>;

/**
 * Finds it out; part of the preparation of a line, as processors are made at once and cannot wait. Rejects with a DetectionError, and then
 * the agent does not start, or runs on with the settings that it has.
 */
export async function prepareProcessors(settings: AgentSettings, log: Log): Promise<Prepared> {
  const prepared = new Map<string, Detection>();
  for (const own of Object.values(settings.processors)) {
    if (own.kind !== 'resource_detection') continue;
    const detection = new Detection(own, log);
    await detection.detect();
    prepared.set(own.id, detection);
  }
  return prepared;
}

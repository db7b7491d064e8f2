import { component } from '../config/component.ts';
import { LONGEST_TIMER_MS } from '../config/go-duration.ts';
import { section } from '../config/section.ts';
import type { ExporterCommon } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';
import { queueSettings } from '../queue/config.ts';
import { NO_RETRY } from './retry-config.ts';

/** Settings of the exporter `nop`. */
export interface NopExporterSettings extends ExporterCommon {
  readonly kind: 'nop';
}

/** Exporter `nop`. */
export const nopExporter = component<object, NopExporterSettings>({
  type: 'nop',
  signals: SIGNALS,
  describe: 'Takes everything and keeps nothing: for pipelines that only feed a connector, and for measuring. Decodes nothing.',
  config: section({}, { describe: 'Has no keys.' }),
  build: (_config, context) => ({
    kind: 'nop',
    id: context.id,
    timeoutMs: LONGEST_TIMER_MS,
    queue: queueSettings(undefined, context),
    retry: NO_RETRY,
  }),
});

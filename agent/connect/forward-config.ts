import { component } from '../config/component.ts';
import type { Output } from '../config/section.ts';
import { section } from '../config/section.ts';
import { SIGNALS } from '../config/settings.ts';

export interface ForwardSettings {
  readonly kind: 'forward';
  readonly id: string;
}

const shape = {};

/** Connector `forward`. */
export const forwardConnector = component<Output<typeof shape>, ForwardSettings>({
  type: 'forward',
  signals: SIGNALS,
  describe: 'Hands what one pipeline made of its data to further pipelines of the same signal.',
  routes: Object.fromEntries(SIGNALS.map((signal) => [signal, [signal]])),
  dataPath: {
    bytes: 'shared, not copied',
  },
  config: section(shape, { describe: 'Has no keys.' }),
  build: (_config, context) => ({ kind: 'forward', id: context.id }),
});

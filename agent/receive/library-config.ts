import { component } from '../config/component.ts';
import { section } from '../config/section.ts';
import type { OtlpReceiverSettings } from '../config/settings.ts';
import { SIGNALS } from '../config/settings.ts';

/** Its type, and the id that pipelines of a configuration object get where they name no receiver. */
export const LIBRARY_RECEIVER = 'library';

/**
 * Receiver `library`: no socket, but the calls `offer()` and `sendRaw()` of the program that the agent is embedded in. It has no settings;
 * runtime/line.ts makes no receiver of it, as it has neither grpc nor http.
 */
export const libraryReceiver = component<object, OtlpReceiverSettings>({
  type: LIBRARY_RECEIVER,
  signals: SIGNALS,
  describe:
    'Takes requests from the program that the agent is embedded in (docs/how-to/embed.md); the program otlp-agent never has any. Of this agent alone.',
  config: section({}, { describe: 'It has no keys.', ours: true }),
  build: (_config, { id, notice }) => {
    notice([], 'nothing comes in here but from a program that embeds the agent');
    return { id };
  },
});

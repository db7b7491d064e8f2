import { stringify } from 'yaml';
import { effectiveConfig } from '../config/effective.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import { load } from '../config/load.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { ConfigArguments, Io } from './io.ts';

export interface PrintConfigArguments extends ConfigArguments {
  /** The JSON Schema of every configuration instead of one configuration. */
  readonly schema?: boolean;
  readonly json?: boolean;
}

/**
 * Prints the configuration as it takes effect, with every default; values of headers are masked.
 *
 * @throws ConfigError where it is not valid
 */
export function printConfig(args: PrintConfigArguments, io: Io): ExitCode {
  if (args.schema === true) {
    io.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    return EXIT.OK;
  }
  const { root } = load({ configs: args.config, sets: args.set, environment: io.environment });
  const shown = effectiveConfig(root);
  io.out(args.json === true ? `${JSON.stringify(shown, null, 2)}\n` : stringify(shown, { lineWidth: 0 }));
  return EXIT.OK;
}

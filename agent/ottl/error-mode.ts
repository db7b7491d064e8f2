import { AS_EMPTY_TEXT, type Field, leaf } from '../config/fields.ts';

/**
 * What becomes of a failure: `ignore` goes on with the next statement or condition and says so in the log, `silent` goes on, `propagate`
 * refuses the request.
 */
export type ErrorMode = 'ignore' | 'silent' | 'propagate';

export const ERROR_MODES: readonly ErrorMode[] = ['ignore', 'silent', 'propagate'];

/** Key `error_mode`, in any case as upstream; undefined where it is absent. */
export function errorModeField(describe: string, shows: string): Field<ErrorMode | undefined> {
  return leaf<ErrorMode | undefined>(
    'choice',
    { describe, default: undefined, shows },
    AS_EMPTY_TEXT,
    (value) => {
      const found = ERROR_MODES.find((mode) => typeof value === 'string' && mode === value.toLowerCase());
      return found === undefined ? { wrong: `must be one of ${ERROR_MODES.join(', ')}` } : { value: found };
    },
    { values: ERROR_MODES, anyCase: true },
  );
}

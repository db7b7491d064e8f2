import type { Message } from '../../agent/kit/otlp.ts';
import type { Exception } from './harness.ts';

/**
 * Where the agent differs from the Collector on purpose, each looked at by a person. A test file names those that it needs; one that no
 * request needs any more fails it.
 */
export const PROFILES_WITHOUT_SAMPLES: Exception = {
  name: 'profiles without samples',
  reason:
    "The Collector's receiver answers success to profiles without samples and throws them away. They may carry an original_payload, so the agent passes them on.",
  covers: ({ signal, theirs, request }) =>
    signal === 'profiles' && theirs.status === 200 && theirs.delivered.length === 0 && !hasSamples(request),
};

function hasSamples(request: Message): boolean {
  return JSON.stringify(request).includes('"samples":');
}

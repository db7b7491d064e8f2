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

export const PROFILE_KEYS_BY_INDEX: Exception = {
  name: 'profile keys by index',
  reason:
    "The Collector's OTLP receiver leaves keys that profiles name by their place in the dictionary unresolved, so that its processors do not find them. The agent finds them.",
  covers: ({ signal, configuration }) => signal === 'profiles' && configuration.includes('by index'),
};

export const DELETE_TAKES_ALL: Exception = {
  name: 'delete takes all of a key that is there twice',
  reason:
    'Keys are unique by the data model. Where a sender breaks that, the Collector deletes the first, sends the second on, and puts the last attribute into the gap. What somebody wants gone must not stay, and the others keep their order.',
  covers: ({ configuration, request }) => configuration.includes('there twice, deleted') && hasTwice(request, 'user.id'),
};

/** Whether one list of attributes has that key, and some key twice. */
function hasTwice(value: unknown, key: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) {
    const keys = value.map((each: unknown) => (each as Message | null)?.key);
    return (keys.includes(key) && new Set(keys).size < keys.length) || value.some((each) => hasTwice(each, key));
  }
  return Object.values(value).some((each) => hasTwice(each, key));
}

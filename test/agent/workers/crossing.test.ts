import { describe, expect, it } from 'vitest';
import { GoRegExp } from '../../../agent/config/go-regexp.ts';
import { load } from '../../../agent/config/load.ts';
import { fingerprint } from '../../../agent/runtime/fingerprint.ts';
import { pack, unpack } from '../../../agent/workers/crossing.ts';
import { loadYaml, MINIMAL } from '../support/config.ts';
import { CORPUS_ENVIRONMENT, corpus } from '../support/mutations.ts';

describe('settings on their way to a worker', () => {
  it.each(corpus().map(({ name, path }) => [name, path]))('arrive as they were: %s', (_name, path) => {
    const { settings } = load({ configs: [path], environment: CORPUS_ENVIRONMENT });
    expect(fingerprint(unpack(structuredClone(pack(settings))))).toBe(fingerprint(settings));
  });

  it('keep patterns that match as before', () => {
    const text = MINIMAL.replace(
      'service:',
      'processors:\n  redaction: { allow_all_keys: true, blocked_values: ["4[0-9]{12}(?:[0-9]{3})?"], blocked_key_patterns: ["(?i)token$"] }\nservice:',
    ).replace('receivers: [otlp]', 'receivers: [otlp]\n      processors: [redaction]');
    const { settings } = loadYaml(text);
    const { redaction } = unpack(structuredClone(pack(settings))).processors;
    if (redaction?.kind !== 'redaction') throw new Error('no redaction');
    expect(redaction.blockedValues[0]).toBeInstanceOf(GoRegExp);
    expect(redaction.blockedValues[0]?.test('card 4111111111111111')).toBe(true);
    expect(redaction.blockedKeyPatterns[0]?.test('api_TOKEN')).toBe(true);
    expect(redaction.ignoredKeys).toBeInstanceOf(Set);
  });
});

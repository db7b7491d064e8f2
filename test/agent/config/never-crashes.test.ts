import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { ConfigError } from '../../../agent/config/problems.ts';
import { MINIMAL } from '../support/config.ts';
import { CORPUS_ENVIRONMENT, corpus, mutations } from '../support/mutations.ts';

const files = corpus();

/** Either settings, or problems that each say where and what; anything else is a bug. */
function judge(text: string): void {
  try {
    load({ configs: [`yaml:${text}`], environment: CORPUS_ENVIRONMENT });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const { code, message, origin } of error.problems) {
      expect(code).toMatch(/^OTLP_CONFIG_/u);
      // Not the key match_undefined of the filter processor.
      expect(message).not.toMatch(/\bundefined\b|\[object|NaN/u);
      expect(origin.source).not.toBe('');
    }
  }
}

describe('whatever is written, the agent answers with settings or with problems', () => {
  it('single changes of real files', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        for (const { text } of mutations(files, seed, 14)) judge(text);
      }),
      { numRuns: 40 },
    );
  });

  it('files cut off anywhere', () => {
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.double({ min: 0, max: 1, noNaN: true }), ({ text }, share) => {
        judge(text.slice(0, Math.floor(text.length * share)));
      }),
    );
  });

  it('any JSON anywhere', () => {
    const places = [
      'receivers',
      'receivers.otlp',
      'receivers.otlp.protocols',
      'exporters.otlp_grpc',
      'exporters.otlp_grpc.sending_queue',
      'exporters.otlp_grpc.headers',
    ];
    const more = [
      'processors.resource.attributes',
      'service',
      'service.pipelines',
      'service.pipelines.traces.receivers',
      'service.telemetry',
      'service.extensions',
      'agent',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...places, ...more), fc.jsonValue({ maxDepth: 3 }), (place, value) => {
        const patch = place.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
        try {
          load({ configs: [`yaml:${MINIMAL}`, `yaml:${JSON.stringify(patch)}`], environment: {} });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

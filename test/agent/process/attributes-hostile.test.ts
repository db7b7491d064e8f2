import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGoRegExp, GoRegExp } from '../../../agent/config/go-regexp.ts';
import { SIGNALS, type Signal } from '../../../agent/config/settings.ts';
import { lenField, scan } from '../../../agent/otlp/wire.ts';
import type { AttributeAction } from '../../../agent/process/actions/action.ts';
import { AttributesProcessor } from '../../../agent/process/attributes.ts';
import { Detection } from '../../../agent/process/detect/detection.ts';
import { type Processor, ProcessorRefusal } from '../../../agent/process/process.ts';
import { RedactionProcessor } from '../../../agent/process/redaction.ts';
import { ResourceProcessor } from '../../../agent/process/resource.ts';
import { ResourceDetectionProcessor } from '../../../agent/process/resource-detection.ts';
import type { ResourceDetectionSettings } from '../../../agent/process/resource-detection-config.ts';
import { requestArbitrary } from '../../real/processors/generate.ts';
import { recordingLog } from '../kit/agent.ts';
import { encode } from '../kit/otlp.ts';

const pattern = (source: string): GoRegExp => {
  const compiled = compileGoRegExp(source);
  if (compiled instanceof GoRegExp) return compiled;
  throw new Error(compiled.wrong);
};

const actions: AttributeAction[] = [
  { action: 'upsert', key: 'a', value: new Map([['x', [1n, undefined]]]) },
  { action: 'insert', key: 'copy', fromAttribute: 'b' },
  { action: 'hash', key: 'user.id', pattern: pattern('^h') },
  { action: 'extract', key: 'b', pattern: pattern('(?P<first>.)') },
  { action: 'convert', key: 'service.name', convertedType: 'int' },
  { action: 'delete', key: '', pattern: pattern('^k8s') },
];

const settings: ResourceDetectionSettings = {
  kind: 'resource_detection',
  id: 'resource_detection',
  detectors: ['env'],
  override: true,
  timeoutMs: 1000,
  refreshIntervalMs: 0,
  failOnMissingMetadata: false,
  retry: { enabled: false, initialIntervalMs: 0, randomizationFactor: 0, multiplier: 1, maxIntervalMs: 0, maxElapsedMs: 0 },
  system: { hostnameSources: ['os'], attributes: new Set() },
  downward: { variables: new Map(), labelsFile: '', annotationsFile: '', labels: new Set(), annotations: new Set() },
};

async function processors(signal: Signal): Promise<Record<string, Processor>> {
  process.env.OTEL_RESOURCE_ATTRIBUTES = 'a=b';
  const detection = new Detection(settings, recordingLog([]));
  await detection.detect();
  delete process.env.OTEL_RESOURCE_ATTRIBUTES;
  const all: Record<string, Processor> = {
    resource: new ResourceProcessor({ kind: 'resource', id: 'r', actions }, signal),
    resource_detection: new ResourceDetectionProcessor(settings, signal, detection),
  };
  if (signal === 'profiles') return all;
  const rules = { attributes: [{ key: 'a' }], resources: [], libraries: [] };
  const none = {
    allowedKeys: new Set(['a']),
    ignoredKeys: new Set<string>(),
    ignoredKeyPatterns: [],
    blockedKeyPatterns: [],
    allowedValues: [],
  };
  const redaction = {
    ...none,
    blockedValues: [pattern('[a-z]')],
    hashFunction: 'md5',
    hmacKey: '',
    redactAllTypes: true,
    summary: 'debug',
  } as const;
  return {
    ...all,
    attributes: new AttributesProcessor({ kind: 'attributes', id: 'a', actions }, signal),
    'attributes with rules': new AttributesProcessor({ kind: 'attributes', id: 'a', actions, include: rules }, signal),
    redaction: new RedactionProcessor({ kind: 'redaction', id: 'x', ...redaction }, signal),
  };
}

describe.each(SIGNALS)('whatever the bytes of %s', (signal) => {
  it('every processor of attributes answers with a reason, or with a request of the same items that it takes again', async () => {
    const all = await processors(signal);
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(
        requestArbitrary(signal, { duplicateKeys: true, indexed: true }),
        fc.array(change, { maxLength: 3 }),
        (message, changes) => {
          const bytes = Buffer.from(encode(signal, message));
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          // What scanning refuses no processor sees.
          const found = scan(signal, bytes);
          if (!found.ok) return;
          for (const [name, processor] of Object.entries(all)) {
            const out = processor.process({ slices: [bytes], bytes: bytes.length, items: found.items }, undefined);
            if (typeof out === 'string' || out instanceof ProcessorRefusal) {
              expect(changes.length, name).toBeGreaterThan(0);
              continue;
            }
            const joined = Buffer.concat(out.slices);
            expect(joined.length, name).toBe(out.bytes);
            expect(scan(signal, joined), name).toEqual({ ok: true, items: out.items });
            expect(out.items, name).toBe(found.items);
            expect(typeof processor.process({ ...out, items: out.items }, undefined), name).toBe('object');
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('values nested 10 000 deep are a reason where they are read, and pass where they are not', async () => {
    let deep: Uint8Array = new Uint8Array();
    for (let i = 0; i < 10_000; i += 1) deep = lenField(5, lenField(1, deep));
    const pair = (key: string): Uint8Array => lenField(1, Buffer.concat([lenField(1, Buffer.from(key)), lenField(2, deep)]));
    const request = (key: string): Uint8Array => lenField(1, lenField(1, pair(key)));
    const { resource, resource_detection: detection } = await processors(signal);
    const send = (processor: Processor | undefined, key: string): unknown => {
      const bytes = request(key);
      return processor?.process({ slices: [bytes], bytes: bytes.length, items: 0 }, undefined);
    };
    expect(send(resource, 'user.id')).toMatch(/nested more than/u);
    expect(send(resource, 'unread')).toMatchObject({ items: 0 });
    expect(send(detection, 'unread')).toMatchObject({ items: 0 });
  });
});

describe('very many attributes', () => {
  const pair = lenField(9, Buffer.concat([lenField(1, Buffer.from('k')), lenField(2, lenField(1, Buffer.from('v')))]));
  const request = (count: number): Uint8Array => lenField(1, lenField(2, lenField(2, Buffer.alloc(count * pair.length, pair))));
  const process = (count: number): unknown => {
    const bytes = request(count);
    const deletion: AttributeAction = { action: 'delete', key: 'k' };
    const processor = new AttributesProcessor({ kind: 'attributes', id: 'a', actions: [deletion] }, 'traces');
    return processor.process({ slices: [bytes], bytes: bytes.length, items: 1 }, undefined);
  };

  it('of one key, 200 000 of them, are deleted in one pass', () => {
    // lenField(2, '') in lenField(2, ...) in lenField(1, ...): an empty span in its scope and resource.
    expect(process(200_000)).toMatchObject({ bytes: 6, items: 1 });
  });

  it('fails on more than a million in one span, instead of taking memory for each', () => {
    expect(process(1_100_000)).toMatch(/more than 1048576 attributes/u);
  });
});

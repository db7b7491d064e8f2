import fc from 'fast-check';
import { expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import type { Signal } from '../../../agent/config/settings.ts';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';
import { createAgent } from '../../../agent/runtime/agent.ts';
import { post, recordingLog } from '../../agent/kit/agent.ts';
import { encode, type Message } from '../../agent/kit/otlp.ts';
import { describeReal, freePort, newFolder, startOtelcol, writeConfig } from '../support/index.ts';
import { generateMessages } from './generate.ts';
import { type Configuration, describeAgainstCollector, type Seen } from './harness.ts';

/** Requests whose items were sampled before, by somebody who keeps to the rules and by somebody who does not. */
const THRESHOLDS = ['0', '8', 'c', 'C', 'fd70a', 'fffffffffffff', '00000000000001', 'ffffffffffffff'];
const RANDOMNESS = ['00000000000000', '80000000000000', 'FFFFFFFFFFFFFF', 'fd70a3d70a3d71', '7fffffffffffff'];
const BROKEN = ['', 'xyz', '123456789012345', '-1', '+1', '0x1', '1_0'];
const OT = [
  ...THRESHOLDS.map((th) => `ot=th:${th}`),
  ...RANDOMNESS.map((rv) => `ot=rv:${rv}`),
  ...RANDOMNESS.map((rv, i) => `ot=th:${THRESHOLDS[i]};rv:${rv};foo:b.a-r_`),
  ...BROKEN.flatMap((text) => [`ot=th:${text}`, `ot=rv:${text}`, `ot=th:8;rv:${text}`, `vendor=1,ot=th:${text};rv:80000000000000`]),
];
const TRACE_STATES = [
  ...OT,
  'vendor=value',
  'a=1,b=2',
  ' a=1\t, b=2 ',
  'a=1,,b=2,',
  'a=1,ot=th:8, b=c d',
  'tenant@system=x,ot=rv:80000000000000',
  '1tenant@system=x',
  'tenant@1system=x',
  '@system=x',
  'Upper=x',
  'a=b=c',
  'a=',
  'a= ',
  'a',
  '=x',
  'ä=x',
  'a=ä',
  'ot=th:8,ot=rv:80000000000000',
  'ot=',
  'ot=;',
  'ot=th:8;',
  'ot=th:8;;rv:80000000000000',
  'ot=TH:8',
  'ot=th8',
  'ot=:8',
  'ot=th:8;th:c',
  'ot=th:8;th:zz',
  ',',
  ' ',
  `a=${'x'.repeat(256)}`,
  `a=${'x'.repeat(257)}`,
  `${'k'.repeat(256)}=x`,
  `${'k'.repeat(257)}=x`,
  `${'t'.repeat(241)}@${'s'.repeat(14)}=x`,
  `${'t'.repeat(242)}@s=x,ot=th:8`,
  `t@${'s'.repeat(15)}=x`,
  Array.from({ length: 31 }, (_, i) => `k${i}=v`).join(','),
  Array.from({ length: 32 }, (_, i) => `k${i}=v`).join(','),
  `${Array.from({ length: 31 }, (_, i) => `k${i}=v`).join(',')},`,
  `${Array.from({ length: 31 }, (_, i) => `k${i}=v`).join(',')},ot=th:8`,
  Array.from({ length: 4 }, (_, i) => `k${i}=${'v'.repeat(250)}`).join(','),
  Array.from({ length: 5 }, (_, i) => `k${i}=${'v'.repeat(250)}`).join(','),
  `ot=foo:${'x'.repeat(252)}`,
];
const PRIORITIES: readonly Message[] = [
  ...[0, 1, -1, 5, '9223372036854775807', '-9223372036854775808'].map((intValue) => ({ intValue })),
  ...[0, 0.5, -0.5, 100, 1e-300, Number.NaN, Number.POSITIVE_INFINITY].map((doubleValue) => ({ doubleValue })),
  ...['0', '0.0', '1', '-1', 'x', '', '0x1p-2', '1e400', 'inf', '-Inf', 'nan', '.5', '5.', '1e', ' 1'].map((stringValue) => ({
    stringValue,
  })),
  { boolValue: true },
  {},
];

/** Random trace ids, half of them with little or much randomness, and a past in tracestate or attributes. */
function past(signal: Signal): Buffer[] {
  const item = fc.record({
    traceId: fc.oneof(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.constantFrom(...['00', 'ff', '7f', '80'].map((hex) => Buffer.from(hex.repeat(16), 'hex')), Buffer.alloc(0)),
    ),
    traceState: fc.oneof(fc.constant(''), fc.constantFrom(...TRACE_STATES)),
    threshold: fc.oneof(fc.constant(undefined), fc.constantFrom(...THRESHOLDS, ...BROKEN)),
    randomness: fc.oneof(fc.constant(undefined), fc.constantFrom(...RANDOMNESS, ...BROKEN)),
    priority: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...PRIORITIES) }),
    noText: fc.boolean(),
  });
  const list = fc.sample(item, { seed: 7, numRuns: 4000 });
  let next = 0;
  const [resources, scopes, items] =
    signal === 'traces' ? ['resourceSpans', 'scopeSpans', 'spans'] : ['resourceLogs', 'scopeLogs', 'logRecords'];
  const lists = (value: unknown): Message[] => (value ?? []) as Message[];
  return generateMessages(signal, 1, 250, { keys: ['sampling.priority', 'request.id', 'prio'] }).map((message) => {
    for (const resource of lists(message[resources as string]))
      for (const scope of lists(resource[scopes as string]))
        for (const one of lists(scope[items as string])) {
          const { traceId, traceState, threshold, randomness, priority, noText } = list[next++ % list.length] as (typeof list)[number];
          one.traceId = Buffer.from(traceId);
          const attributes = lists(one.attributes).filter(({ key }) => key !== 'sampling.priority');
          if (priority !== undefined) attributes.push({ key: signal === 'traces' ? 'sampling.priority' : 'prio', value: priority });
          if (signal === 'traces') one.traceState = traceState;
          else {
            if (threshold !== undefined)
              attributes.unshift({ key: 'sampling.threshold', value: noText ? { stringValue: threshold } : { intValue: 8 } });
            if (randomness !== undefined) attributes.push({ key: 'sampling.randomness', value: { stringValue: randomness } });
          }
          one.attributes = attributes;
        }
    return encode(signal, message);
  });
}

const sampler = (config: object, signals: readonly Signal[] = ['traces', 'logs']): Configuration => ({
  name: JSON.stringify(config),
  processors: { probabilistic_sampler: config },
  signals,
  bodies: past,
});

/** An id of zeros is none: the Collector leaves it away, the agent leaves it as it came. */
function withoutZeroIds(seen: Seen): Seen {
  return JSON.parse(
    JSON.stringify(seen).replaceAll('"traceId":"AAAAAAAAAAAAAAAAAAAAAA==",', '').replaceAll(',"traceId":"AAAAAAAAAAAAAAAAAAAAAA=="', ''),
  ) as Seen;
}

const MODES = ['hash_seed', 'equalizing', 'proportional'] as const;

describeAgainstCollector(
  'probabilistic_sampler',
  [
    ...MODES.flatMap((mode) => [
      sampler({ mode, sampling_percentage: 50 }),
      sampler({ mode, sampling_percentage: 33.3, fail_closed: false }),
      sampler({ mode, sampling_percentage: 100, fail_closed: false, sampling_precision: 14 }),
      sampler({ mode, sampling_percentage: 0.01, fail_closed: false, sampling_precision: 1 }),
      sampler({ mode, sampling_percentage: 99.9, sampling_precision: 2 }),
    ]),
    sampler({ sampling_percentage: 0, fail_closed: false }),
    sampler({ sampling_percentage: 0 }),
    sampler({ sampling_percentage: 250, hash_seed: 4294967295 }),
    sampler({ sampling_percentage: 1e-12, mode: 'equalizing', fail_closed: false }),
    sampler({ sampling_percentage: 0.001, hash_seed: 5 }),
    sampler({ sampling_percentage: 60, hash_seed: 5, from_attribute: 'request.id', fail_closed: false }, ['logs']),
    sampler({ sampling_percentage: 60, attribute_source: 'record', from_attribute: 'request.id' }, ['logs']),
    sampler({ sampling_percentage: 60, attribute_source: '', from_attribute: 'a', sampling_priority: 'prio' }, ['logs']),
    sampler({ sampling_percentage: 5, mode: 'equalizing', sampling_priority: 'prio', fail_closed: false }, ['logs']),
    sampler({ sampling_percentage: 5, mode: 'proportional', sampling_priority: 'prio', sampling_precision: -1 }, ['logs']),
  ],
  { adjust: withoutZeroIds },
);

describeReal(['otelcol'], 'probabilistic_sampler counts as the Collector does', () => {
  for (const config of [
    { mode: 'hash_seed', sampling_percentage: 40, from_attribute: 'request.id', sampling_priority: 'prio' },
    { mode: 'equalizing', sampling_percentage: 40, fail_closed: false, sampling_priority: 'prio' },
    { sampling_percentage: 0 },
  ]) {
    it(JSON.stringify(config), async () => {
      const ports = { theirs: await freePort(), ours: await freePort(), metrics: await freePort() };
      const both = (port: number, metrics: object): object => ({
        receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
        processors: { probabilistic_sampler: config },
        exporters: { nop: null },
        service: {
          telemetry: { metrics },
          pipelines: Object.fromEntries(
            ['traces', 'logs'].map((signal) => [
              signal,
              { receivers: ['otlp'], processors: ['probabilistic_sampler'], exporters: ['nop'] },
            ]),
          ),
        },
      });
      const reader = { pull: { exporter: { prometheus: { host: '127.0.0.1', port: ports.metrics } } } };
      const collector = await startOtelcol({ config: both(ports.theirs, { readers: [reader] }) });
      const file = writeConfig(newFolder('agent'), 'agent.yaml', both(ports.ours, { level: 'none' }));
      const agent = await createAgent(load({ configs: [file], environment: {} }).settings, { log: recordingLog([]) });
      await agent.start();
      for (const signal of ['traces', 'logs'] as const) {
        for (const body of past(signal)) {
          for (const port of [ports.theirs, ports.ours]) expect((await post(port, SIGNAL_FACTS[signal].httpPath, body)).status).toBe(200);
        }
      }
      const theirs = counts(await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text());
      expect(Object.keys(theirs).length).toBeGreaterThan(1);
      expect(counts(await agent.metrics())).toEqual(theirs);
      await agent.drain(60_000);
      await agent.close();
      await collector.stop();
    });
  }
});

/** Samples above zero: `traces trace_id_hash true` and how many. */
function counts(exposition: string): Record<string, number> {
  const found: Record<string, number> = {};
  const pattern = /^otelcol_processor_probabilistic_sampler_count_(\w+)_sampled\{(.*)\} (\d+)$/gmu;
  for (const [, signal, labels = '', value] of exposition.matchAll(pattern)) {
    const label = (name: string): string => new RegExp(`${name}="([^"]*)"`, 'u').exec(labels)?.[1] ?? '';
    if (Number(value) > 0) found[`${signal} ${label('policy')} ${label('sampled')}`] = Number(value);
  }
  return found;
}

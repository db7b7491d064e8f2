/**
 * Any sequence of changes, cuts, kills and compactions: when all is quiet, the resolver has exactly what etcd has, and on the way it never
 * had an upstream that was not there at some time, nor lost one because of an outage.
 */
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { EtcdResolver } from '../../../agent/resolve/etcd/etcd-resolver.ts';
import { upstreamKey } from '../../../agent/resolve/resolver.ts';
import { keptLog, Listener } from '../../agent/resolve/kit.ts';
import { describeReal } from '../support/index.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { Wire } from './wire.ts';

const PREFIX = '/model/';
const STEPS = 60;
const RUNS = 12;
const SEED = Number(process.env.OTLP_RESOLVE_SEED ?? Date.now() % 1_000_000);

type Step =
  | { readonly kind: 'put'; readonly key: number; readonly port: number }
  | { readonly kind: 'remove'; readonly key: number }
  | { readonly kind: 'garbage'; readonly key: number }
  | { readonly kind: 'cut' | 'mend' | 'compact' | 'pause' };

const key = fc.integer({ min: 0, max: 9 });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, port: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('garbage' as const), key }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'mend' as const, 'compact' as const, 'pause' as const) }) },
  ),
  { minLength: STEPS / 2, maxLength: STEPS },
);

describeReal(['etcd'], `the etcd resolver through anything that happens (seed ${SEED})`, () => {
  const closing: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it('ends with what etcd has', { timeout: 180_000 }, async () => {
    const etcd = await EtcdCluster.start();
    closing.push(() => etcd.stop());
    let run = 0;
    const property = fc.asyncProperty(steps, async (sequence: readonly Step[]) => {
      run += 1;
      const prefix = `${PREFIX}${run}/`;
      const wire = await Wire.start(etcd.endpoints[0] ?? '');
      const listener = new Listener();
      const resolver = new EtcdResolver({ kind: 'etcd', endpoints: [wire.url], timeoutMs: 1_000, prefix }, keptLog());
      try {
        await resolver.start(listener.onChange);
        const ever = new Set<string>();
        let revision = 0;
        let compacted = 0;
        for (const step of sequence) {
          if (step.kind === 'put') {
            ever.add(`127.0.0.${step.key + 1}:${step.port}`);
            revision = await etcd.put(`${prefix}${step.key}`, `127.0.0.${step.key + 1}:${step.port}`);
          } else if (step.kind === 'remove') await etcd.remove(`${prefix}${step.key}`);
          else if (step.kind === 'garbage') revision = await etcd.put(`${prefix}${step.key}`, 'garbage');
          else if (step.kind === 'cut') wire.cut();
          else if (step.kind === 'mend') wire.mend();
          else if (step.kind === 'compact' && revision > compacted) {
            await etcd.compact(revision);
            compacted = revision;
          } else await new Promise((resolve) => setTimeout(resolve, 20));
        }
        wire.mend();
        // Whatever a key of garbage was before is kept, if that was seen; in the end each has a value again or is gone.
        for (const [name, value] of Object.entries(await etcd.read(prefix))) if (value === 'garbage') await etcd.remove(name);
        await etcd.put(`${prefix}last`, '127.0.0.99:1');
        ever.add('127.0.0.99:1');
        const model = Object.values(await etcd.read(prefix)).sort();
        await listener.untilKeys(...model);
        for (const list of listener.lists) for (const upstream of list) expect(ever).toContain(upstreamKey(upstream));
      } finally {
        await resolver.close();
        await wire.stop();
      }
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
  });
});

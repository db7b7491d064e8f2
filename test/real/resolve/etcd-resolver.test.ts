/** The etcd resolver against real etcds: ranges, watches, outages, compaction, a cluster that loses members, a restored backup. */
import { afterEach, expect, it } from 'vitest';
import { EtcdResolver } from '../../../agent/resolve/etcd/etcd-resolver.ts';
import { keptLog, Listener, untilStatus } from '../../agent/resolve/kit.ts';
import { describeReal, freePort, shortestMs } from '../support/index.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { Wire } from './wire.ts';

const PREFIX = '/services/otlp/';
/** How long the outage lasts beyond a few tries; 60000 for the minute that is promised. */
const OUTAGE_MS = Number(process.env.OTLP_OUTAGE_MS ?? 0);

describeReal(['etcd'], 'the etcd resolver against a real etcd', () => {
  const closing: (() => Promise<void>)[] = [];

  const cluster = async (size?: number): Promise<EtcdCluster> => {
    const started = await EtcdCluster.start(size);
    closing.push(() => started.stop());
    return started;
  };

  const start = async (endpoints: readonly string[], timeoutMs = 2_000): Promise<{ resolver: EtcdResolver; listener: Listener }> => {
    const listener = new Listener();
    const resolver = new EtcdResolver({ kind: 'etcd', endpoints, timeoutMs, prefix: PREFIX }, keptLog());
    closing.push(() => resolver.close());
    await resolver.start(listener.onChange);
    return { resolver, listener };
  };

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it('reads what is there, and sees within 5 s what is added, changed and removed', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    await etcd.put(`${PREFIX}a`, '127.0.0.1:4317');
    await etcd.put(`${PREFIX}b`, '{"host":"127.0.0.2","port":4318,"weight":3}');
    await etcd.put('/services/other', '127.0.0.9:1');
    await etcd.put('/services/otlp0', '127.0.0.9:2');
    const { resolver, listener } = await start(etcd.endpoints);
    expect(listener.last).toEqual([
      { host: '127.0.0.1', port: 4317, weight: 1 },
      { host: '127.0.0.2', port: 4318, weight: 3 },
    ]);
    const changes = async (): Promise<void> => {
      await etcd.put(`${PREFIX}c`, '[::1]:4317');
      await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4318', '[::1]:4317');
      await etcd.remove(`${PREFIX}c`);
      await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4318');
      for (const weight of [1, 3]) {
        await etcd.put(`${PREFIX}b`, `{"host":"127.0.0.2","port":4318,"weight":${weight}}`);
        await listener.until(() => listener.last[1]?.weight === weight);
      }
    };
    expect(await shortestMs(5_000, changes)).toBeLessThan(5_000);
    await etcd.put(`${PREFIX}b`, '{"host":"127.0.0.2","port":4318}');
    await listener.until(() => listener.last[1]?.weight === 1);
    await etcd.remove(PREFIX, '/services/otlp0');
    await listener.untilKeys();
    expect(resolver.status).toEqual({ ok: true, message: `0 upstreams of the etcd keys below ${PREFIX}` });
  });

  it('changes nothing while etcd is away, and then sees what happened meanwhile', { timeout: 180_000 + OUTAGE_MS }, async () => {
    const etcd = await cluster();
    await etcd.put(`${PREFIX}a`, '127.0.0.1:4317');
    const { resolver, listener } = await start(etcd.endpoints);
    await etcd.killMember(0);
    expect(await untilStatus(resolver, false)).toContain('the last 1 upstreams are kept');
    // Several tries long.
    const { failures } = resolver.counts;
    while (resolver.counts.failures < failures + 3) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
    expect(listener.lists).toHaveLength(1);
    await etcd.startMember(0);
    await untilStatus(resolver, true);
    expect(listener.lists).toHaveLength(1);
    await etcd.put(`${PREFIX}b`, '127.0.0.2:4317');
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317');
    expect(listener.lists).toHaveLength(2);
  });

  it('starts while etcd is away, and finds the list when it comes', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    await etcd.put(`${PREFIX}a`, '127.0.0.1:4317');
    await etcd.killMember(0);
    const { resolver, listener } = await start(etcd.endpoints);
    expect(resolver.status.message).toContain('there is no list yet');
    await etcd.startMember(0);
    await listener.untilKeys('127.0.0.1:4317');
  });

  it('goes on from the revision that it had seen: a change while it was cut off is not missed', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    await etcd.put(`${PREFIX}a`, '127.0.0.1:4317');
    const wire = await Wire.start(etcd.endpoints[0] ?? '');
    closing.push(() => wire.stop());
    const { resolver, listener } = await start([wire.url]);
    wire.cut();
    await untilStatus(resolver, false);
    await etcd.put(`${PREFIX}b`, '127.0.0.2:4317');
    await etcd.remove(`${PREFIX}a`);
    wire.mend();
    await listener.untilKeys('127.0.0.2:4317');
    expect(resolver.status.ok).toBe(true);
  });

  it('reads all again where the revision was compacted away meanwhile', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    await etcd.put(`${PREFIX}a`, '127.0.0.1:4317');
    await etcd.put(`${PREFIX}gone`, '127.0.0.9:4317');
    const wire = await Wire.start(etcd.endpoints[0] ?? '');
    closing.push(() => wire.stop());
    const { resolver, listener } = await start([wire.url]);
    wire.cut();
    await untilStatus(resolver, false);
    await etcd.remove(`${PREFIX}gone`);
    let revision = 0;
    for (let index = 0; index < 20; index += 1) revision = await etcd.put(`${PREFIX}b`, `127.0.0.2:${5000 + index}`);
    await etcd.compact(revision);
    wire.mend();
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:5019');
    expect(resolver.status.ok).toBe(true);
    await etcd.put(`${PREFIX}c`, '127.0.0.3:4317');
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:5019', '127.0.0.3:4317');
  });

  it('reads all again where etcd has lost what was seen, as after a restored backup', { timeout: 180_000 }, async () => {
    const first = await cluster();
    for (let index = 0; index < 30; index += 1) await first.put(`${PREFIX}a`, `127.0.0.1:${4317 + index}`);
    const second = await cluster();
    await second.put(`${PREFIX}a`, '127.0.0.2:4317');
    const wire = await Wire.start(first.endpoints[0] ?? '');
    closing.push(() => wire.stop());
    const { listener } = await start([wire.url]);
    expect(listener.keys).toEqual(['127.0.0.1:4346']);
    wire.cut();
    wire.mend(second.endpoints[0] ?? '');
    await listener.untilKeys('127.0.0.2:4317');
    await second.put(`${PREFIX}b`, '127.0.0.3:4317');
    await listener.untilKeys('127.0.0.2:4317', '127.0.0.3:4317');
  });

  it('goes to another member of the cluster when its own is killed, or goes silent', { timeout: 180_000 }, async () => {
    const etcd = await cluster(3);
    await etcd.put(`${PREFIX}a`, '127.0.0.1:4317');
    const { resolver, listener } = await start([`http://127.0.0.1:${await freePort()}`, ...etcd.endpoints]);
    // The first endpoint has nobody: the second try is the first member.
    await listener.untilKeys('127.0.0.1:4317');
    await etcd.killMember(0);
    await etcd.put(`${PREFIX}b`, '127.0.0.2:4317');
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317');
    await untilStatus(resolver, true);
    await etcd.startMember(0);
    // The member in use holds its connection and says nothing any more: a ping finds it out.
    etcd.signalMember(1, 'SIGSTOP');
    await etcd.put(`${PREFIX}c`, '127.0.0.3:4317');
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317', '127.0.0.3:4317');
    etcd.signalMember(1, 'SIGCONT');
  });

  it('reads 1000 upstreams over several pages', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    const keys = Array.from({ length: 1_234 }, (_, index) => `127.2.${Math.floor(index / 250)}.${(index % 250) + 1}:4317`);
    for (let at = 0; at < keys.length; at += 100) await Promise.all(keys.slice(at, at + 100).map((key) => etcd.put(PREFIX + key, key)));
    const { listener } = await start(etcd.endpoints);
    expect(listener.keys).toEqual([...keys].sort());
  });

  it('keeps an upstream whose value became garbage, says so, and ignores keys that never were any', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    await etcd.put(`${PREFIX}a`, '127.0.0.1:4317');
    await etcd.put(`${PREFIX}never`, 'x'.repeat(1_000_000));
    const { resolver, listener } = await start(etcd.endpoints);
    expect(listener.keys).toEqual(['127.0.0.1:4317']);
    expect(resolver.status).toMatchObject({ ok: false, message: expect.stringMatching(/1 of 2 keys.*\/services\/otlp\/never/u) });
    await etcd.put(`${PREFIX}a`, '{"host":"127.0.0.1","port":"4317"}');
    await etcd.put(`${PREFIX}b`, '127.0.0.2:4317');
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317');
    expect(resolver.status.message).toContain('2 of 3 keys');
    await etcd.put(`${PREFIX}a`, '127.0.0.3:4317');
    await etcd.remove(`${PREFIX}never`);
    await listener.untilKeys('127.0.0.2:4317', '127.0.0.3:4317');
    await untilStatus(resolver, true);
  });
});

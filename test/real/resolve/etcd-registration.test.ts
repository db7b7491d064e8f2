/** Registration in a real etcd under a lease, and the resolver that finds it. */
import { afterEach, expect, it } from 'vitest';
import { Registration } from '../../../agent/register/registration.ts';
import { EtcdResolver } from '../../../agent/resolve/etcd/etcd-resolver.ts';
import { keptLog, Listener, untilStatus } from '../../agent/resolve/kit.ts';
import { describeReal, freePort, waitFor } from '../support/index.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { Wire } from './wire.ts';

const PREFIX = '/services/otlp/';

describeReal(['etcd'], 'registration in a real etcd', () => {
  const closing: (() => Promise<void>)[] = [];
  let ready = true;

  const cluster = async (): Promise<EtcdCluster> => {
    const started = await EtcdCluster.start();
    closing.push(() => started.stop());
    ready = true;
    return started;
  };

  const register = async (endpoints: readonly string[], ttlMs = 3_000): Promise<Registration> => {
    const registration = new Registration(
      {
        kind: 'registration',
        id: 'registration',
        upstream: { host: '127.0.0.1', port: 4317, weight: 3 },
        instance: 'agent-1',
        ttlMs,
        registry: { kind: 'etcd', endpoints, timeoutMs: 2_000, prefix: PREFIX },
      },
      keptLog(),
    );
    closing.push(() => registration.close());
    await registration.start(() => ready);
    return registration;
  };

  const resolve = async (endpoints: readonly string[]): Promise<Listener> => {
    const listener = new Listener();
    const resolver = new EtcdResolver({ kind: 'etcd', endpoints, timeoutMs: 2_000, prefix: PREFIX }, keptLog());
    closing.push(() => resolver.close());
    await resolver.start(listener.onChange);
    return listener;
  };

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  it('is found while it is ready, stays beyond its TTL, and is gone as soon as the drain begins', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    const listener = await resolve(etcd.endpoints);
    // A busy machine has four seconds to keep the lease alive.
    const registration = await register(etcd.endpoints, 6_000);
    await listener.untilKeys('127.0.0.1:4317');
    expect(listener.last[0]?.weight).toBe(3);
    expect(await etcd.read(PREFIX)).toEqual({ [`${PREFIX}agent-1`]: '{"host":"127.0.0.1","port":4317,"weight":3}' });
    ready = false;
    await listener.untilKeys();
    ready = true;
    await listener.untilKeys('127.0.0.1:4317');
    // Twice its TTL.
    await new Promise((done) => setTimeout(done, 12_500));
    expect(listener.lists).toHaveLength(4);
    await waitFor(() => registration.counts.registrations === 2, { what: 'the second registration' });
    expect(registration.counts.failures).toBe(0);
    await registration.drain();
    await listener.untilKeys();
    expect(await etcd.leases()).toEqual([]);
    await registration.close();
    expect(await etcd.read(PREFIX)).toEqual({});
  });

  it('enters itself again where its lease was lost', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    const listener = await resolve(etcd.endpoints);
    const registration = await register(etcd.endpoints);
    await listener.untilKeys('127.0.0.1:4317');
    const [lease = ''] = await etcd.leases();
    await etcd.revoke(lease);
    await listener.until(() => listener.lists.length >= 3 && listener.keys.length === 1);
    // The resolver may hear of the key before the registration has its answer.
    await waitFor(() => registration.counts.registrations === 2, { what: 'the second registration' });
    expect(registration.counts.failures).toBe(0);
    expect(await etcd.leases()).toHaveLength(1);
  });

  it('is forgotten after its TTL when it is cut off without a word, and back when it is not', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    const wire = await Wire.start(etcd.endpoints[0] ?? '');
    closing.push(() => wire.stop());
    const listener = await resolve(etcd.endpoints);
    const registration = await register([wire.url]);
    await listener.untilKeys('127.0.0.1:4317');
    wire.cut();
    await listener.untilKeys();
    expect(registration.status.ok).toBe(false);
    wire.mend();
    await listener.untilKeys('127.0.0.1:4317');
    await untilStatus(registration, true);
  });

  it('outlives a restart of etcd, and starts before etcd and beside a member that is not there', { timeout: 180_000 }, async () => {
    const etcd = await cluster();
    await etcd.killMember(0);
    const registration = await register([`http://127.0.0.1:${await freePort()}`, ...etcd.endpoints], 15_000);
    expect(registration.status.ok).toBe(false);
    await etcd.startMember(0);
    await untilStatus(registration, true, 30_000);
    const listener = await resolve(etcd.endpoints);
    expect(listener.keys).toEqual(['127.0.0.1:4317']);
    await etcd.killMember(0);
    await untilStatus(registration, false, 30_000);
    await etcd.startMember(0);
    await untilStatus(registration, true, 30_000);
    expect(listener.lists).toHaveLength(1);
    expect(registration.counts.registrations).toBe(1);
    await registration.drain();
    await waitFor(() => listener.keys.length === 0, { what: 'the key to go' });
  });
});

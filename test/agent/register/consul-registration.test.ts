/** Registration at the stand-in after Consul's documented API (resolve/consul-server.ts says why), seen by the resolver too. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Registration } from '../../../agent/register/registration.ts';
import type { ConsulRegistrySettings } from '../../../agent/register/settings.ts';
import { ConsulResolver } from '../../../agent/resolve/consul/consul-resolver.ts';
import { ConsulServer } from '../resolve/consul-server.ts';
import { keptLog, Listener, untilStatus } from '../resolve/kit.ts';

describe('registration at Consul', () => {
  let consul: ConsulServer;
  let ready: boolean;
  const closing: (() => Promise<void>)[] = [];

  const client = (): Pick<ConsulRegistrySettings, 'address' | 'datacenter' | 'token' | 'tokenFile'> => ({
    address: consul.url,
    datacenter: undefined,
    token: undefined,
    tokenFile: undefined,
  });

  const create = (more: Partial<ConsulRegistrySettings> = {}): Registration => {
    const registration = new Registration(
      {
        kind: 'registration',
        id: 'registration',
        upstream: { host: '127.0.0.1', port: 4317, weight: 2 },
        instance: 'agent-1',
        ttlMs: 3_000,
        registry: { kind: 'consul', ...client(), service: 'otlp', tags: ['blue'], deregisterAfterMs: 60_000, ...more },
      },
      keptLog(),
    );
    closing.push(() => registration.close());
    return registration;
  };

  beforeEach(async () => {
    consul = await ConsulServer.start();
    ready = true;
  });

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await consul.stop();
  });

  it('enters the service with a TTL check, and says that it lives each third of the TTL', async () => {
    const registration = create();
    await registration.start(() => ready);
    expect(registration.status).toEqual({ ok: true, message: `registered (Consul at ${consul.url}, service otlp)` });
    const asked = await consul.untilAsked(({ path }) => path === '/v1/agent/service/register');
    expect(asked.query).toEqual({ 'replace-existing-checks': 'true' });
    expect(JSON.parse(asked.body)).toEqual({
      ID: 'agent-1',
      Name: 'otlp',
      Tags: ['blue'],
      Address: '127.0.0.1',
      Port: 4317,
      Weights: { Passing: 2, Warning: 1 },
      Meta: { 'otlp-agent-version': expect.any(String) as string },
      Check: {
        CheckID: 'service:agent-1',
        Name: 'otlp-agent is ready',
        TTL: '3s',
        Status: 'passing',
        DeregisterCriticalServiceAfter: '60s',
      },
    });
    const beat = await consul.untilAsked(({ path }) => path === '/v1/agent/check/update/service:agent-1');
    expect(JSON.parse(beat.body)).toEqual({ Status: 'passing', Output: 'ready' });
    expect(registration.counts).toEqual({ registrations: 1, failures: 0 });
  });

  it('is found by the resolver while it is ready, and not while it is not or after the drain began', async () => {
    const listener = new Listener();
    const resolver = new ConsulResolver({ kind: 'consul', ...client(), service: 'otlp', tag: 'blue', waitMs: 60_000 }, keptLog());
    closing.push(() => resolver.close());
    await resolver.start(listener.onChange);
    expect(listener.keys).toEqual([]);
    const registration = create();
    await registration.start(() => ready);
    await listener.untilKeys('127.0.0.1:4317');
    expect(listener.last).toEqual([{ host: '127.0.0.1', port: 4317, weight: 2 }]);
    ready = false;
    await listener.untilKeys();
    ready = true;
    await listener.untilKeys('127.0.0.1:4317');
    await registration.drain();
    expect(consul.instances.size).toBe(0);
    await listener.untilKeys();
    expect(registration.status.message).toContain('withdrawn');
    const { length } = consul.asked;
    await registration.drain();
    await registration.close();
    expect(consul.asked.slice(length).filter(({ method }) => method === 'PUT')).toEqual([]);
  });

  it('enters itself again where Consul has forgotten it', async () => {
    const registration = create();
    await registration.start(() => ready);
    consul.remove('agent-1');
    while (registration.counts.registrations < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(consul.instances.get('agent-1')?.status).toBe('passing');
    expect(registration.counts.failures).toBe(0);
  });

  it('is back soon where an older registration of the same name leaves after it came, as at a reload', async () => {
    const older = create();
    await older.start(() => ready);
    const newer = create({ tags: ['green'] });
    await newer.start(() => ready);
    await older.close();
    expect(consul.instances.size).toBe(0);
    while (newer.counts.registrations < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(consul.instances.get('agent-1')?.Tags).toEqual(['green']);
  });

  it('starts without Consul, and enters itself when it comes', async () => {
    const { port } = consul;
    const registration = create();
    await consul.stop();
    await registration.start(() => ready);
    expect(registration.status.ok).toBe(false);
    consul = await ConsulServer.start(port);
    await untilStatus(registration, true);
    expect(consul.instances.has('agent-1')).toBe(true);
  });

  it('begins as critical where the agent is not ready yet', async () => {
    ready = false;
    const registration = create();
    await registration.start(() => ready);
    expect(consul.instances.get('agent-1')?.status).toBe('critical');
    ready = true;
    await consul.untilAsked(({ path, body }) => path.startsWith('/v1/agent/check/update/') && body.includes('"passing"'));
  });

  it('says what Consul says where the token is not enough, and drains all the same', async () => {
    consul.token = 'secret';
    const registration = create({ token: 'wrong' });
    await registration.start(() => ready);
    expect(registration.status.message).toMatch(/HTTP status 403: Permission denied/u);
    expect(registration.status.message).not.toContain('wrong');
    await registration.drain();
    expect(registration.status).toMatchObject({ ok: false, message: expect.stringContaining('it ends with its TTL') as string });
  });

  it('drains within seconds where Consul does not answer', async () => {
    const registration = create();
    await registration.start(() => ready);
    consul.hostile = () => {};
    await registration.drain();
    expect(registration.status).toMatchObject({ ok: false, message: expect.stringContaining('not withdrawn') as string });
  });

  it('closes what was never started', async () => {
    await create().close();
    expect(consul.asked).toEqual([]);
  });
});

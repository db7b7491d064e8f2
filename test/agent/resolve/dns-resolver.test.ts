import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DnsResolver } from '../../../agent/resolve/dns-resolver.ts';
import type { DnsResolverSettings } from '../../../agent/resolve/settings.ts';
import { DnsServer } from './dns-server.ts';
import { keptLog, Listener, untilStatus } from './kit.ts';

const TYPE_A = 1;
const TYPE_AAAA = 28;

describe('the dns resolver', () => {
  let server: DnsServer;
  let listener: Listener;
  const open: DnsResolver[] = [];

  const start = async (more: Partial<DnsResolverSettings> = {}): Promise<DnsResolver> => {
    const settings: DnsResolverSettings = {
      kind: 'dns',
      hostname: 'tier.example',
      port: 4317,
      intervalMs: 50,
      timeoutMs: 20_000,
      type: 'a',
      servers: [server.address],
      ...more,
    };
    const resolver = new DnsResolver(settings, keptLog());
    open.push(resolver);
    await resolver.start(listener.onChange);
    return resolver;
  };

  beforeEach(async () => {
    server = await DnsServer.start();
    listener = new Listener();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((resolver) => resolver.close()));
    await server.stop();
  });

  it('gives A and AAAA records with the port, sorted', async () => {
    server.zones.set('tier.example', { a: ['127.0.0.9', '127.0.0.10'], aaaa: ['fd00:0:0:0:0:0:0:1'] });
    const resolver = await start();
    expect(listener.last).toEqual([
      { host: '127.0.0.10', port: 4317, weight: 1 },
      { host: '127.0.0.9', port: 4317, weight: 1 },
      { host: 'fd00::1', port: 4317, weight: 1 },
    ]);
    expect(resolver.status).toEqual({ ok: true, message: '3 upstreams of addresses of tier.example' });
  });

  it('names an address without a port as the ring of the Collector does', async () => {
    server.zones.set('tier.example', { a: ['127.0.0.1'], aaaa: ['fd00:0:0:0:0:0:0:1'] });
    await start({ port: undefined });
    expect(listener.last.map(({ port, ringName }) => [port, ringName])).toEqual([
      [4317, '127.0.0.1'],
      [4317, '[fd00::1]'],
    ]);
  });

  it('sees a new address and a removed one with the next lookup, and says nothing where nothing changed', async () => {
    server.zones.set('tier.example', { a: ['127.0.0.1'] });
    const resolver = await start();
    server.zones.set('tier.example', { a: ['127.0.0.2', '127.0.0.1'] });
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317');
    server.zones.set('tier.example', { a: ['127.0.0.2'] });
    await listener.untilKeys('127.0.0.2:4317');
    const asked = resolver.counts.resolutions;
    while (resolver.counts.resolutions < asked + 3) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(listener.lists).toHaveLength(3);
    expect(resolver.counts).toMatchObject({ changes: 3, upstreams: 1, failures: 0 });
  });

  it('takes the SRV records of the lowest priority, with ports and weights', async () => {
    server.zones.set('_otlp._tcp.example', {
      srv: [
        { priority: 10, weight: 3, port: 4317, target: 'a.example' },
        { priority: 10, weight: 0, port: 4318, target: 'b.example' },
        { priority: 20, weight: 9, port: 4317, target: 'spare.example' },
      ],
    });
    await start({ type: 'srv', hostname: '_otlp._tcp.example', port: undefined });
    expect(listener.last).toEqual([
      { host: 'a.example', port: 4317, weight: 3 },
      { host: 'b.example', port: 4318, weight: 1 },
    ]);
    server.zones.set('_otlp._tcp.example', { srv: [{ priority: 20, weight: 9, port: 4317, target: 'spare.example' }] });
    await listener.untilKeys('spare.example:4317');
    server.zones.set('_otlp._tcp.example', { srv: [{ priority: 0, weight: 0, port: 0, target: '.' }] });
    await listener.untilKeys();
  });

  it('keeps the list through an outage of the name server, and goes on after it', async () => {
    server.zones.set('tier.example', { a: ['127.0.0.1', '127.0.0.2'] });
    const resolver = await start({ timeoutMs: 200 });
    // A lookup that a busy machine makes late is one more failure; the list comes with the next.
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317');
    const { port, zones } = server;
    await server.stop();
    expect(await untilStatus(resolver, false)).toContain('the last 2 upstreams are kept');
    expect(listener.lists).toHaveLength(1);
    server = await DnsServer.start(port);
    for (const [name, zone] of zones) server.zones.set(name, zone);
    await untilStatus(resolver, true);
    expect(listener.lists).toHaveLength(1);
    server.zones.set('tier.example', { a: ['127.0.0.2'] });
    await listener.untilKeys('127.0.0.2:4317');
  });

  it('keeps the list where the name is not known, not answered or refused for the moment', async () => {
    server.zones.set('tier.example', { a: ['127.0.0.1'] });
    const resolver = await start({ timeoutMs: 200 });
    await listener.untilKeys('127.0.0.1:4317');
    server.zones.clear();
    while (!/ENOTFOUND.*the last 1 upstreams are kept/u.test(resolver.status.message))
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(resolver.status.ok).toBe(false);
    server.zones.set('tier.example', {});
    const failures = resolver.counts.failures;
    while (resolver.counts.failures < failures + 2) await new Promise((resolve) => setTimeout(resolve, 20));
    server.silent = true;
    while (!resolver.status.message.includes('no answer within 200 ms') && !resolver.status.message.includes('TIMEOUT'))
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(listener.keys).toEqual(['127.0.0.1:4317']);
    expect(listener.lists).toHaveLength(1);
  });

  it('keeps the addresses of one family while only the other can be asked', async () => {
    server.zones.set('tier.example', { a: ['127.0.0.1'], aaaa: ['fd00:0:0:0:0:0:0:1'] });
    const resolver = await start();
    server.failing.add(TYPE_AAAA);
    server.zones.set('tier.example', { a: ['127.0.0.2'], aaaa: ['fd00:0:0:0:0:0:0:2'] });
    await listener.untilKeys('127.0.0.2:4317', '[fd00::1]:4317');
    server.failing.add(TYPE_A);
    await untilStatus(resolver, false);
    expect(listener.keys).toEqual(['127.0.0.2:4317', '[fd00::1]:4317']);
    server.failing.clear();
    await listener.untilKeys('127.0.0.2:4317', '[fd00::2]:4317');
  });

  it('starts without a list where the first lookup fails, and finds it later', async () => {
    const resolver = await start();
    expect(listener.lists).toEqual([]);
    expect(resolver.status.ok).toBe(false);
    expect(resolver.status.message).toContain('there is no list yet');
    server.zones.set('tier.example', { a: ['127.0.0.1'] });
    await listener.untilKeys('127.0.0.1:4317');
  });

  it('reads 1000 addresses, over TCP as they do not fit into a datagram', async () => {
    const all = Array.from({ length: 1_000 }, (_, index) => `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`);
    server.zones.set('tier.example', { a: all });
    const resolver = await start();
    expect(new Set(listener.keys)).toEqual(new Set(all.map((address) => `${address}:4317`)));
    expect(resolver.counts.upstreams).toBe(1_000);
  });

  it('asks the machine where no name server is written, /etc/hosts included', async () => {
    const resolver = await start({ hostname: 'localhost', servers: [] });
    expect(listener.keys).toContain('127.0.0.1:4317');
    expect(server.questions).toBe(0);
    expect(resolver.status.ok).toBe(true);
  });

  it('ends at once while a lookup is under way, and calls nobody afterwards', async () => {
    server.zones.set('tier.example', { a: ['127.0.0.1'] });
    const resolver = await start();
    server.silent = true;
    server.zones.set('tier.example', { a: ['127.0.0.2'] });
    const asked = server.questions;
    while (server.questions === asked) await new Promise((resolve) => setTimeout(resolve, 5));
    await resolver.close();
    await resolver.close();
    expect(listener.lists).toHaveLength(1);
  });
});

/** The Consul resolver against a stand-in after Consul's documented API (consul-server.ts says why), not against Consul. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConsulResolver } from '../../../agent/resolve/consul/consul-resolver.ts';
import type { ConsulResolverSettings } from '../../../agent/resolve/settings.ts';
import { ConsulServer } from './consul-server.ts';
import { keptLog, Listener, untilStatus } from './kit.ts';

describe('the consul resolver', () => {
  let consul: ConsulServer;
  let listener: Listener;
  const open: ConsulResolver[] = [];

  const start = async (more: Partial<ConsulResolverSettings> = {}): Promise<ConsulResolver> => {
    const settings: ConsulResolverSettings = {
      kind: 'consul',
      address: consul.url,
      datacenter: undefined,
      token: undefined,
      tokenFile: undefined,
      service: 'otlp',
      tag: undefined,
      waitMs: 60_000,
      ...more,
    };
    const resolver = new ConsulResolver(settings, keptLog());
    open.push(resolver);
    await resolver.start(listener.onChange);
    return resolver;
  };

  beforeEach(async () => {
    consul = await ConsulServer.start();
    listener = new Listener();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((resolver) => resolver.close()));
    await consul.stop();
  });

  it('gives the passing instances with their weights, and the address of the node where the service has none', async () => {
    consul.put('a', '127.0.0.1', 4317, { Weights: { Passing: 5, Warning: 1 } });
    consul.put('b', '', 4318);
    consul.put('c', '127.0.0.3', 4317, { status: 'critical' });
    consul.put('d', '127.0.0.4', 4317, { Name: 'other' });
    const resolver = await start();
    expect(listener.last).toEqual([
      { host: '127.0.0.1', port: 4317, weight: 5 },
      { host: '127.9.9.9', port: 4318, weight: 1 },
    ]);
    expect(resolver.status).toEqual({ ok: true, message: '2 upstreams of the Consul service otlp' });
    expect(consul.asked[0]).toMatchObject({ path: '/v1/health/service/otlp', query: { passing: 'true' }, token: undefined });
  });

  it('asks with the index of the last answer, and sees each change as soon as Consul answers', async () => {
    consul.put('a', '127.0.0.1', 4317);
    await start({ waitMs: 90_000 });
    const { index } = consul;
    expect((await consul.untilAsked(({ query }) => query.index !== undefined)).query).toEqual({
      passing: 'true',
      index: String(index),
      wait: '90s',
    });
    consul.put('b', '127.0.0.2', 4317);
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317');
    consul.put('a', '127.0.0.1', 4317, { status: 'critical' });
    await listener.untilKeys('127.0.0.2:4317');
    consul.remove('b');
    await listener.untilKeys();
  });

  it('sends tag, datacenter and token, and reads the token file again for each request', async () => {
    consul.token = 'first';
    consul.put('a', '127.0.0.1', 4317, { Tags: ['blue'] });
    consul.put('b', '127.0.0.2', 4317, { Tags: ['green'] });
    const tokenFile = join(mkdtempSync(join(tmpdir(), 'otlp-consul-')), 'token');
    writeFileSync(tokenFile, 'first\n');
    const resolver = await start({ tag: 'blue', datacenter: 'dc2', tokenFile });
    expect(listener.keys).toEqual(['127.0.0.1:4317']);
    expect(consul.asked[0]?.query).toEqual({ passing: 'true', tag: 'blue', dc: 'dc2' });
    consul.token = 'second';
    consul.put('c', '127.0.0.3', 4317, { Tags: ['blue'] });
    expect(await untilStatus(resolver, false)).toMatch(/HTTP status 403: Permission denied.*upstreams are kept/u);
    writeFileSync(tokenFile, 'second\n');
    await untilStatus(resolver, true);
    expect(listener.keys).toEqual(['127.0.0.1:4317', '127.0.0.3:4317']);
  });

  it('starts over from 0 when the index goes backwards', async () => {
    consul.put('a', '127.0.0.1', 4317);
    await start({ waitMs: 1_000 });
    await consul.untilAsked(({ query }) => query.index !== undefined);
    const before = consul.asked.length;
    consul.index = 7;
    consul.put('b', '127.0.0.2', 4317);
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317');
    await consul.untilAsked((asked) => consul.asked.indexOf(asked) >= before && asked.query.index === undefined);
    await consul.untilAsked(({ query }) => query.index === '8');
  });

  it('does not believe a server that knows no leader', async () => {
    consul.put('a', '127.0.0.1', 4317);
    const resolver = await start();
    consul.knownLeader = false;
    consul.remove('a');
    expect(await untilStatus(resolver, false)).toMatch(/knows no leader.*the last 1 upstreams are kept/u);
    expect(listener.keys).toEqual(['127.0.0.1:4317']);
    consul.knownLeader = true;
    await listener.untilKeys();
  });

  it('keeps the list while Consul is away, and goes on after it', async () => {
    consul.put('a', '127.0.0.1', 4317);
    const resolver = await start();
    const { port, instances } = consul;
    await consul.stop();
    expect(await untilStatus(resolver, false)).toContain('the last 1 upstreams are kept');
    const { failures } = resolver.counts;
    while (resolver.counts.failures < failures + 2) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(listener.lists).toHaveLength(1);
    consul = await ConsulServer.start(port);
    for (const [id, instance] of instances) consul.instances.set(id, instance);
    await untilStatus(resolver, true);
    expect(listener.lists).toHaveLength(1);
    consul.put('b', '127.0.0.2', 4317);
    await listener.untilKeys('127.0.0.1:4317', '127.0.0.2:4317');
  });

  it.each<[string, NonNullable<ConsulServer['hostile']>, RegExp]>([
    [
      'garbage',
      (_, response) => void response.writeHead(200, { 'x-consul-index': '5' }).end('{"a":'),
      /is no JSON; it begins with "\{\\"a\\":"/u,
    ],
    ['no list', (_, response) => void response.writeHead(200, { 'x-consul-index': '5' }).end('{}'), /no list of service instances/u],
    ['a list without an index', (_, response) => void response.end('[]'), /no X-Consul-Index; is this the address of a Consul agent\?/u],
    ['no cluster leader', (_, response) => void response.writeHead(500).end('No cluster leader'), /HTTP status 500: No cluster leader/u],
    [
      'a redirect to itself',
      (request, response) => void response.writeHead(301, { location: request.url }).end(),
      /301 to \/v1\/health.*not followed/u,
    ],
    ['too much', tooMuch, /more than 33554432 bytes/u],
    [
      'a request for time',
      (_, response) => void response.writeHead(429, { 'retry-after': '1' }).end('slow down'),
      /HTTP status 429: slow down/u,
    ],
    ['escape codes', (_, response) => void response.writeHead(503).end('\u001b[2J\nfake line'), /HTTP status 503: {1,2}\[2J fake line/u],
  ])('keeps the list and says why where the answer is %s', async (_, hostile, message) => {
    consul.put('a', '127.0.0.1', 4317);
    const resolver = await start();
    consul.hostile = hostile;
    consul.touch();
    expect(await untilStatus(resolver, false)).toMatch(message);
    consul.hostile = undefined;
    await untilStatus(resolver, true);
    expect(listener.lists).toHaveLength(1);
  });

  it('reads 1000 instances', async () => {
    for (let index = 0; index < 1_000; index += 1) consul.put(`i${index}`, `127.3.${Math.floor(index / 250)}.${(index % 250) + 1}`, 4317);
    const resolver = await start();
    expect(resolver.counts.upstreams).toBe(1_000);
  });

  it('leaves out instances that cannot be dialled and says so; a list of such alone is no answer', async () => {
    consul.put('a', '127.0.0.1', 4317);
    consul.put('b', 'not a host', 4317);
    consul.put('c', '127.0.0.3', 0);
    const resolver = await start();
    expect(listener.keys).toEqual(['127.0.0.1:4317']);
    expect(resolver.status).toEqual({
      ok: false,
      message: '1 upstreams of the Consul service otlp; 2 of 3 instances have no address and port',
    });
    consul.remove('a');
    while (!resolver.status.message.includes('none of the 2')) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(listener.keys).toEqual(['127.0.0.1:4317']);
  });
});

function tooMuch(_: unknown, response: ServerResponse): void {
  const block = Buffer.alloc(1024 * 1024, 0x20);
  response.writeHead(200, { 'x-consul-index': '5' });
  const more = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response.on('drain', more);
  more();
}

/** What a real API server cannot be made to do on demand: bookmarks, 410 in each form, hostile answers. The rest is in test/real/resolve. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { K8sResolver } from '../../../agent/resolve/k8s/k8s-resolver.ts';
import type { K8sResolverSettings } from '../../../agent/resolve/settings.ts';
import { keptLog, Listener, untilStatus } from './kit.ts';

type Handler = (query: URLSearchParams, response: ServerResponse, request: IncomingMessage) => void;

/** A list or watch of EndpointSlices as the test scripts it. */
class ApiStandIn {
  readonly queries: URLSearchParams[] = [];
  readonly tokens: (string | undefined)[] = [];
  list: Handler = (_, response) => void response.end(listOf(1));
  watch: Handler = (_, response) => void response.writeHead(200).flushHeaders();
  readonly #server: Server;
  readonly #looking = new Set<() => void>();

  constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      const query = new URL(request.url ?? '', 'http://api').searchParams;
      this.queries.push(query);
      this.tokens.push(request.headers.authorization);
      for (const look of [...this.#looking]) look();
      (query.has('watch') ? this.watch : this.list)(query, response, request);
    });
  }

  static async start(): Promise<ApiStandIn> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ApiStandIn(server);
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  untilAsked(fits: (query: URLSearchParams) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (!this.queries.some(fits)) return;
      this.#looking.delete(look);
      resolve();
    };
    this.#looking.add(look);
    look();
    return promise;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function slice(name: string, ...addresses: readonly string[]): object {
  return {
    metadata: { name, resourceVersion: '1' },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: {} })),
  };
}

function listOf(version: number, ...items: readonly object[]): string {
  return JSON.stringify({ kind: 'EndpointSliceList', metadata: { resourceVersion: String(version) }, items });
}

function event(type: string, version: number, object: object = {}): string {
  return `${JSON.stringify({ type, object: { ...object, metadata: { name: 'a', resourceVersion: String(version) } } })}\n`;
}

describe('the k8s resolver', () => {
  let api: ApiStandIn;
  let listener: Listener;
  const open: K8sResolver[] = [];

  const create = (more: Partial<K8sResolverSettings> = {}): K8sResolver => {
    const folder = mkdtempSync(join(tmpdir(), 'otlp-k8s-'));
    writeFileSync(join(folder, 'token'), 'the-token\n');
    const settings: K8sResolverSettings = {
      kind: 'k8s',
      service: 'otlp',
      namespace: 'tier',
      ports: [4317],
      timeoutMs: 60_000,
      returnHostnames: false,
      addressTypes: ['IPv4'],
      apiServer: api.url,
      tokenFile: join(folder, 'token'),
      caFile: join(folder, 'ca.crt'),
      ...more,
    };
    const resolver = new K8sResolver(settings, keptLog());
    open.push(resolver);
    return resolver;
  };

  const start = async (more: Partial<K8sResolverSettings> = {}): Promise<K8sResolver> => {
    const resolver = create(more);
    await resolver.start(listener.onChange);
    return resolver;
  };

  beforeEach(async () => {
    api = await ApiStandIn.start();
    listener = new Listener();
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((resolver) => resolver.close()));
    await api.stop();
  });

  it('goes on after a watch from the last event or bookmark, and lists only once', async () => {
    api.list = (_, response) => void response.end(listOf(10, slice('a', '10.0.0.1')));
    api.watch = (query, response) => {
      const from = query.get('resourceVersion');
      response.writeHead(200).flushHeaders();
      if (from === '10') response.end(event('MODIFIED', 17, slice('a', '10.0.0.2')));
      if (from === '17') response.end(event('BOOKMARK', 400));
    };
    await start();
    await api.untilAsked((query) => query.get('resourceVersion') === '400');
    const first = api.queries.find((query) => query.has('watch'));
    expect(Object.fromEntries(first ?? [])).toEqual({
      labelSelector: 'kubernetes.io/service-name=otlp',
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '10',
      timeoutSeconds: '60',
    });
    expect(api.tokens[0]).toBe('Bearer the-token');
    expect(listener.keys).toEqual(['10.0.0.2:4317']);
    expect(api.queries.filter((query) => !query.has('watch'))).toHaveLength(1);
  });

  it('reads a list of several pages, and takes none of it before the last', async () => {
    api.list = (query, response) => {
      const page = Number(query.get('continue') ?? '0');
      const metadata = page < 2 ? { continue: String(page + 1) } : { resourceVersion: '5' };
      response.end(JSON.stringify({ kind: 'EndpointSliceList', metadata, items: [slice(`p${page}`, `10.0.${page}.1`)] }));
    };
    await start();
    expect(listener.lists).toHaveLength(1);
    expect(listener.keys).toEqual(['10.0.0.1:4317', '10.0.1.1:4317', '10.0.2.1:4317']);
  });

  it.each([
    ['the status of the watch', (response: ServerResponse) => void response.writeHead(410).end('{"message":"too old resource version"}')],
    [
      'an ERROR event',
      (response: ServerResponse) => void response.end(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410 } })}\n`),
    ],
  ])('lists again after 410 Gone as %s, and removes what is not there any more', async (_, gone) => {
    let lists = 0;
    api.list = (_query, response) => {
      lists += 1;
      response.end(lists === 1 ? listOf(10, slice('a', '10.0.0.1'), slice('b', '10.0.0.2')) : listOf(20, slice('b', '10.0.0.2')));
    };
    api.watch = (query, response) => (query.get('resourceVersion') === '10' ? gone(response) : response.writeHead(200).flushHeaders());
    const resolver = await start();
    await listener.untilKeys('10.0.0.2:4317');
    expect(resolver.counts.failures).toBe(0);
  });

  it.each<[string, Handler, RegExp]>([
    ['garbage', (_, response) => void response.end('<html>not JSON</html>'), /is no JSON; it begins with "<html>not JSON/u],
    ['other JSON', (_, response) => void response.end('{"kind":"PodList"}'), /no EndpointSliceList/u],
    ['a list without a version', (_, response) => void response.end('{"kind":"EndpointSliceList"}'), /no resourceVersion/u],
    ['items without names', (_, response) => void response.end('{"kind":"EndpointSliceList","items":[null,7]}'), /has no name/u],
    ['an endless body', endless, /more than 16777216 bytes/u],
    [
      'a redirect to itself',
      (_, response, request) => void response.writeHead(302, { location: `${request.url}&again` }).end(),
      /302 to .*which is not followed/u,
    ],
    ['a slow drip', drip, /no whole answer within 400 ms/u],
    ['nothing', () => {}, /no whole answer within 400 ms/u],
    ['a broken connection', (_, response) => void response.socket?.destroy(), /other side closed|ECONNRESET|terminated/u],
    [
      'enormous headers',
      (_, response) => void response.writeHead(200, { 'x-big': 'x'.repeat(60_000) }).end(),
      /Headers Overflow|HPE_HEADER/iu,
    ],
    [
      'endless pages',
      (_, response) => void response.end('{"kind":"EndpointSliceList","metadata":{"continue":"x"},"items":[]}'),
      /more than 2000 slices/u,
    ],
    [
      'more upstreams than there can be',
      (_, response) => {
        const items = Array.from({ length: 101 }, (_unused, index) =>
          slice(`s${index}`, ...Array.from({ length: 100 }, (_none, at) => `10.${index}.0.${at}`)),
        );
        response.end(listOf(1, ...items));
      },
      /10100 upstreams, more than 10000/u,
    ],
  ])('keeps the list and says why where the list is %s', async (_, hostile, message) => {
    api.list = (_query, response) => void response.end(listOf(10, slice('a', '10.0.0.1')));
    api.watch = (_query, response) => void response.writeHead(410).end();
    // Short only where the time itself is what ends it.
    const resolver = await start({ timeoutMs: message.source.includes('400 ms') ? 400 : 120_000 });
    expect(listener.keys).toEqual(['10.0.0.1:4317']);
    api.list = hostile;
    expect(await untilStatus(resolver, false)).toMatch(message);
    expect(resolver.status.message).toContain('the last 1 upstreams are kept');
    expect(resolver.status.message.length).toBeLessThan(500);
    api.list = (_query, response) => void response.end(listOf(20, slice('b', '10.0.0.2')));
    api.watch = (_query, response) => void response.writeHead(200).flushHeaders();
    await listener.untilKeys('10.0.0.2:4317');
  });

  it.each<[string, string, RegExp]>([
    ['garbage', 'what?\n', /is no JSON/u],
    ['an unknown type', event('EXPLODED', 11), /unknown type "EXPLODED"/u],
    ['an event without a version', '{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n', /no resourceVersion/u],
    ['an error', '{"type":"ERROR","object":{"code":500,"message":"etcd is gone"}}\n', /etcd is gone/u],
    ['a line without an end', 'x'.repeat(9 * 1024 * 1024), /more than 8388608 bytes/u],
  ])('keeps the list and lists again where the watch gives %s', async (_, line, message) => {
    let lists = 0;
    api.list = (_query, response) => {
      lists += 1;
      response.end(listOf(lists * 10, slice('a', '10.0.0.1')));
    };
    api.watch = (query, response) => {
      response.writeHead(200).flushHeaders();
      if (query.get('resourceVersion') === '10') response.write(line);
    };
    const resolver = create();
    const failed = new Promise<string>((resolve) => {
      const look = setInterval(() => {
        if (resolver.counts.failures === 0) return;
        clearInterval(look);
        resolve(resolver.status.message);
      }, 2);
    });
    await resolver.start(listener.onChange);
    expect(await failed).toMatch(message);
    await untilStatus(resolver, true);
    expect(listener.lists).toHaveLength(1);
    expect(lists).toBeGreaterThanOrEqual(message.source.includes('8388608') ? 1 : 2);
  });

  it('keeps the list and lists again where a watch adds slices without end', async () => {
    const name = (index: number): object => ({ type: 'ADDED', object: { metadata: { name: `s${index}`, resourceVersion: `${index}` } } });
    let lists = 0;
    api.list = (_query, response) => {
      lists += 1;
      response.end(listOf(10, slice('a', '10.0.0.1')));
    };
    api.watch = (_query, response) => {
      response.writeHead(200).flushHeaders();
      if (lists > 1) return;
      for (let index = 0; index < 2_500; index += 1) response.write(`${JSON.stringify(name(index))}\n`);
    };
    const resolver = await start();
    while (lists < 2) await sleep(5);
    await untilStatus(resolver, true);
    expect(resolver.counts.failures).toBe(1);
    expect(listener.lists).toHaveLength(1);
  });

  it('asks below the path of an API server that stands behind a gateway', async () => {
    const paths: string[] = [];
    api.list = (_query, response, request) => {
      paths.push(request.url?.split('?', 1)[0] ?? '');
      response.end(listOf(10, slice('a', '10.0.0.1')));
    };
    await start({ apiServer: `${api.url}/clusters/one/` });
    expect(paths).toEqual(['/clusters/one/apis/discovery.k8s.io/v1/namespaces/tier/endpointslices']);
  });

  it('asks no faster where every watch is gone at once', async () => {
    api.watch = (_, response) => void response.writeHead(410).end();
    await start();
    await sleep(2_000);
    // 250 + 500 + 1000 + ... ms apart.
    expect(api.queries.filter((query) => query.has('watch')).length).toBeLessThan(6);
  });

  it('fails with words outside of a cluster', async () => {
    const resolver = await start({ apiServer: undefined });
    expect(resolver.status.message).toMatch(/KUBERNETES_SERVICE_HOST.*not set.*write resolver.k8s.api_server/u);
  });

  it('fails with words where there is no token', async () => {
    const resolver = await start({ tokenFile: '/nowhere/token' });
    expect(resolver.status.message).toMatch(/ENOENT.*\/nowhere\/token/u);
  });

  it('ends at once while a list or a watch is under way', async () => {
    const resolver = await start();
    await api.untilAsked((query) => query.has('watch'));
    await resolver.close();
    api.list = () => {};
    const second = create();
    const started = second.start(listener.onChange);
    await api.untilAsked(() => api.queries.filter((query) => !query.has('watch')).length === 2);
    await second.close();
    await started;
    expect(second.status).toEqual({ ok: false, message: 'closed' });
  });
});

function endless(_: URLSearchParams, response: ServerResponse): void {
  const block = Buffer.alloc(256 * 1024, 0x20);
  const more = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response.on('drain', more);
  more();
}

function drip(_: URLSearchParams, response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
}

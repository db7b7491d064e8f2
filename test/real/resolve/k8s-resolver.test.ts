/** The k8s resolver against a real API server, as a ServiceAccount with the rights that the guide names and no others. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { K8sResolver } from '../../../agent/resolve/k8s/k8s-resolver.ts';
import type { K8sResolverSettings } from '../../../agent/resolve/settings.ts';
import { keptLog, Listener, untilStatus } from '../../agent/resolve/kit.ts';
import {
  type ApiServer,
  describeReal,
  newFolder,
  type RunningProcess,
  realPath,
  shortestMs,
  startApiServer,
  startProcess,
  waitFor,
} from '../support/index.ts';
import { Wire } from './wire.ts';

const NAMESPACE = 'tier';
/** How long the API server is away beyond the first failed try; 60000 for the minute that is promised. */
const OUTAGE_MS = Number(process.env.OTLP_OUTAGE_MS ?? 0);

interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean };
  readonly hostname?: string;
}

function slice(name: string, endpoints: readonly Endpoint[], more: object = {}): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': 'otlp' } },
    addressType: 'IPv4',
    endpoints,
    ports: [
      { name: 'otlp-grpc', port: 4317, protocol: 'TCP' },
      { name: 'otlp-http', port: 4318, protocol: 'TCP' },
    ],
    ...more,
  };
}

function at(...addresses: readonly string[]): Endpoint[] {
  return addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }));
}

const ACCOUNT = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'agent', namespace: NAMESPACE } };

const RIGHTS = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'agent', namespace: NAMESPACE },
    rules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] }],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'agent', namespace: NAMESPACE },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'agent' },
    subjects: [{ kind: 'ServiceAccount', name: 'agent', namespace: NAMESPACE }],
  },
];

describeReal(['etcd', 'kube-apiserver', 'kubectl'], 'the k8s resolver against a real API server', () => {
  const closing: (() => Promise<void>)[] = [];
  let api: ApiServer;
  let apiProcess: RunningProcess;
  let tokenFile: string;
  let caFile: string;

  const start = async (more: Partial<K8sResolverSettings> = {}): Promise<{ resolver: K8sResolver; listener: Listener }> => {
    const listener = new Listener();
    const settings: K8sResolverSettings = {
      kind: 'k8s',
      service: 'otlp',
      namespace: NAMESPACE,
      ports: [4317],
      timeoutMs: 60_000,
      returnHostnames: false,
      addressTypes: ['IPv4', 'IPv6', 'FQDN'],
      apiServer: api.url,
      tokenFile,
      caFile,
      ...more,
    };
    const resolver = new K8sResolver(settings, keptLog());
    closing.push(() => resolver.close());
    await resolver.start(listener.onChange);
    return { resolver, listener };
  };

  /** The same program with the same arguments, as a container that is restarted. */
  const restartApi = async (args: readonly string[]): Promise<void> => {
    apiProcess = await startProcess({ bin: realPath('kube-apiserver'), cwd: apiProcess.folder, args, stopTimeoutMs: 15_000 });
    await waitFor(async () => (await api.kubectl(['get', '--raw', '/readyz'])).stdout === 'ok', {
      what: 'the API server',
      timeoutMs: 120_000,
    });
  };

  beforeAll(async () => {
    api = await startApiServer();
    const [, server] = api.processes;
    if (server === undefined) throw new Error('the API server has no process');
    apiProcess = server;
    await api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }]);
    await api.apply([ACCOUNT, ...RIGHTS]);
    const folder = newFolder('service-account');
    tokenFile = join(folder, 'token');
    caFile = join(folder, 'ca.crt');
    writeFileSync(tokenFile, await api.token(NAMESPACE, 'agent'));
    writeFileSync(caFile, api.certificate().cert);
    writeFileSync(join(folder, 'namespace'), NAMESPACE);
  }, 120_000);

  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    await api.ok(['delete', 'endpointslices', '--all', '-n', NAMESPACE]);
  });

  it('reads the ready endpoints of several slices, and sees within 5 s what comes, goes and is not ready any more', async () => {
    await api.apply([
      slice('otlp-a', [
        ...at('10.0.0.1'),
        { addresses: ['10.0.0.2'], conditions: { ready: false } },
        { addresses: ['10.0.0.3'] },
        { addresses: ['10.0.0.4'], conditions: { ready: false, serving: true, terminating: true } },
      ]),
      slice('otlp-b', at('10.0.0.5', '10.0.0.1')),
      slice('other', at('10.0.0.9'), {
        metadata: { name: 'other', namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': 'other' } },
      }),
    ]);
    const { resolver, listener } = await start({ namespace: undefined });
    expect(listener.keys).toEqual(['10.0.0.1:4317', '10.0.0.3:4317', '10.0.0.5:4317']);
    expect(resolver.status).toEqual({ ok: true, message: '3 upstreams of the Service otlp' });
    await api.apply([slice('otlp-a', at('10.0.0.1'))]);
    await listener.untilKeys('10.0.0.1:4317', '10.0.0.5:4317');
    const changes = async (): Promise<void> => {
      await api.apply([slice('otlp-b', at('10.0.0.5', '10.0.0.6'))]);
      await listener.untilKeys('10.0.0.1:4317', '10.0.0.5:4317', '10.0.0.6:4317');
      await api.apply([slice('otlp-a', [{ addresses: ['10.0.0.1'], conditions: { ready: false } }])]);
      await listener.untilKeys('10.0.0.5:4317', '10.0.0.6:4317');
      await api.ok(['delete', 'endpointslice', 'otlp-b', '-n', NAMESPACE]);
      await listener.untilKeys();
      await api.apply([slice('otlp-a', at('10.0.0.1'))]);
      await listener.untilKeys('10.0.0.1:4317');
    };
    // What the issue asks for, four times; kubectl's own time is in it.
    expect(await shortestMs(20_000, changes)).toBeLessThan(20_000);
  });

  it('finds ports by name in each slice, and both addresses of a dual stack pod or one of them', async () => {
    await api.apply([
      slice('otlp-a', at('10.0.0.1')),
      slice('otlp-b', at('10.0.0.2'), { ports: [{ name: 'otlp-grpc', port: 14_317, protocol: 'TCP' }] }),
      slice('otlp-v6', at('fd00::1'), { addressType: 'IPv6' }),
    ]);
    const both = await start({ ports: ['otlp-grpc'] });
    expect(both.listener.keys).toEqual(['10.0.0.1:4317', '10.0.0.2:14317', '[fd00::1]:4317']);
    const four = await start({ ports: ['otlp-grpc', 'otlp-http'], addressTypes: ['IPv4'] });
    expect(four.listener.keys).toEqual(['10.0.0.1:4317', '10.0.0.1:4318', '10.0.0.2:14317']);
    const none = await start({ ports: [] });
    expect(none.listener.last.map(({ ringName, port }) => [ringName, port])).toEqual([
      ['10.0.0.1', 4317],
      ['10.0.0.2', 4317],
      ['fd00::1', 4317],
    ]);
  });

  it('finds the API server and its namespace as a pod does', async () => {
    await api.apply([slice('otlp-a', at('10.0.0.1'))]);
    const { hostname, port } = new URL(api.url);
    vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
    closing.push(() => Promise.resolve(void vi.unstubAllEnvs()));
    const { listener } = await start({ apiServer: undefined, namespace: undefined });
    expect(listener.keys).toEqual(['10.0.0.1:4317']);
  });

  it('gives the names of a StatefulSet', async () => {
    await api.apply([slice('otlp-a', [{ addresses: ['10.0.0.1'], hostname: 'otlp-0' }, { addresses: ['10.0.0.2'] }])]);
    const { listener } = await start({ returnHostnames: true });
    expect(listener.keys).toEqual([`otlp-0.otlp.${NAMESPACE}:4317`]);
  });

  it('goes on over many watches, as the server ends each', { timeout: 180_000 }, async () => {
    await api.apply([slice('otlp-a', at('10.0.0.1'))]);
    const { resolver, listener } = await start({ timeoutMs: 1_000 });
    const { resolutions } = resolver.counts;
    while (resolver.counts.resolutions < resolutions + 5) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(resolver.counts).toMatchObject({ failures: 0, changes: 1 });
    await api.apply([slice('otlp-a', at('10.0.0.2'))]);
    await listener.untilKeys('10.0.0.2:4317');
  });

  it('changes nothing while the API server is away or silent, and then sees what happened meanwhile', {
    timeout: 180_000 + OUTAGE_MS,
  }, async () => {
    await api.apply([slice('otlp-a', at('10.0.0.1', '10.0.0.2'))]);
    const wire = await Wire.start(api.url);
    closing.push(() => wire.stop());
    const { resolver, listener } = await start({ apiServer: wire.url });
    wire.cut();
    expect(await untilStatus(resolver, false)).toContain('the last 2 upstreams are kept');
    await api.apply([slice('otlp-a', at('10.0.0.2', '10.0.0.3'))]);
    wire.mend();
    await listener.untilKeys('10.0.0.2:4317', '10.0.0.3:4317');
    expect(listener.lists).toHaveLength(2);

    // Killed and started again: its watch cache begins anew, so that the old resourceVersion is 410 Gone or not, as it sees fit.
    const args = readFileSync(`/proc/${apiProcess.pid}/cmdline`, 'utf8').split('\0').slice(1, -1);
    apiProcess.signal('SIGKILL');
    await apiProcess.exited;
    await untilStatus(resolver, false);
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
    await restartApi(args);
    await untilStatus(resolver, true, 120_000);
    expect(listener.lists).toHaveLength(2);
    await api.apply([slice('otlp-a', at('10.0.0.4'))]);
    await listener.untilKeys('10.0.0.4:4317');

    // Alive and silent.
    const silent = await start({ timeoutMs: 1_000 });
    apiProcess.signal('SIGSTOP');
    try {
      expect(await untilStatus(silent.resolver, false, 120_000)).toContain('the last 1 upstreams are kept');
    } finally {
      apiProcess.signal('SIGCONT');
    }
    await untilStatus(silent.resolver, true, 120_000);
    expect(silent.listener.lists).toHaveLength(1);
  });

  it('reads all again after 410 Gone', { timeout: 180_000 }, async () => {
    await api.apply([slice('otlp-a', at('10.0.0.1')), slice('gone', at('10.0.0.9'))]);
    const wire = await Wire.start(api.url);
    closing.push(() => wire.stop());
    const { resolver, listener } = await start({ apiServer: wire.url });
    expect(listener.keys).toEqual(['10.0.0.1:4317', '10.0.0.9:4317']);
    wire.cut();
    await untilStatus(resolver, false);
    await api.ok(['delete', 'endpointslice', 'gone', '-n', NAMESPACE]);
    await api.apply([slice('otlp-a', at('10.0.0.2'))]);
    // A new API server keeps no event from before its start; compacted, etcd has none either.
    const args = readFileSync(`/proc/${apiProcess.pid}/cmdline`, 'utf8').split('\0').slice(1, -1);
    await apiProcess.stop();
    await compactEtcd(args);
    await restartApi(args);
    const token = readFileSync(tokenFile, 'utf8');
    const answer = await kubectlWatch(api, token);
    expect(answer).toContain('410');
    wire.mend();
    await listener.untilKeys('10.0.0.2:4317');
    expect(resolver.status.ok).toBe(true);
  });

  it('reads the token again when it is renewed, and says what is wrong until then', { timeout: 180_000 }, async () => {
    await api.apply([slice('otlp-a', at('10.0.0.1'))]);
    const { resolver, listener } = await start({ timeoutMs: 1_000 });
    await api.ok(['delete', 'serviceaccount', 'agent', '-n', NAMESPACE]);
    expect(await untilStatus(resolver, false, 120_000)).toMatch(/HTTP status 401.*the last 1 upstreams are kept/u);
    await api.apply([ACCOUNT]);
    writeFileSync(tokenFile, await api.token(NAMESPACE, 'agent'));
    await untilStatus(resolver, true, 120_000);
    expect(listener.lists).toHaveLength(1);
    await api.ok(['delete', 'rolebinding', 'agent', '-n', NAMESPACE]);
    expect(await untilStatus(resolver, false, 120_000)).toMatch(/HTTP status 403: endpointslices.* is forbidden.*cannot (list|watch)/u);
    await api.apply(RIGHTS);
    await untilStatus(resolver, true, 120_000);
    expect(listener.lists).toHaveLength(1);
  });

  it('trusts no server but that of its certificates, and takes new ones when the file changes', async () => {
    await api.apply([slice('otlp-a', at('10.0.0.1'))]);
    const wrong = join(newFolder('ca'), 'ca.crt');
    writeFileSync(wrong, OTHER_CERTIFICATE);
    const { resolver, listener } = await start({ caFile: wrong });
    expect(resolver.status.message).toMatch(/certificate/u);
    writeFileSync(wrong, readFileSync(caFile));
    await listener.untilKeys('10.0.0.1:4317');
  });

  it('reads 1000 upstreams in ten slices', async () => {
    const all = Array.from({ length: 1_000 }, (_, index) => `10.1.${Math.floor(index / 100)}.${index % 100}`);
    await api.apply(Array.from({ length: 10 }, (_, index) => slice(`otlp-${index}`, at(...all.slice(index * 100, index * 100 + 100)))));
    const { resolver, listener } = await start();
    expect(new Set(listener.keys)).toEqual(new Set(all.map((address) => `${address}:4317`)));
    await api.apply([slice('otlp-3', at(...all.slice(300, 399)))]);
    await listener.until((keys) => keys.length === 999);
    expect(resolver.counts.changes).toBe(2);
  });
});

/** What a watch from the first resourceVersion is answered with. */
async function kubectlWatch(api: ApiServer, token: string): Promise<string> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices?watch=1&resourceVersion=2&timeoutSeconds=2`;
  const { stdout, stderr } = await api.kubectl(['get', '--raw', path, `--token=${token}`]);
  return stdout + stderr;
}

async function compactEtcd(apiArgs: readonly string[]): Promise<void> {
  const etcd = apiArgs.find((arg) => arg.startsWith('--etcd-servers='))?.slice('--etcd-servers='.length) ?? '';
  const call = async (method: string, body: object): Promise<{ header: { revision: string } }> => {
    const response = await fetch(`${etcd}/v3/${method}`, { method: 'POST', body: JSON.stringify(body) });
    return (await response.json()) as { header: { revision: string } };
  };
  const { header } = await call('kv/range', { key: Buffer.from('/').toString('base64') });
  await call('kv/compaction', { revision: header.revision, physical: true });
}

/** Of nobody: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 36500 -subj /CN=nobody`. */
const OTHER_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUUK/ATdQccX87qp5Rsf0uQaIG+CAwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyMTE1MTAxOFoYDzIxMjYxMDI4MTUx
MDE4WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQwcOAKgP0cYs050KuVyrBjowdqaCDZPj0uNfbh8SpBKsYizJcUBVzYkoJz14yf
eNCdeYS1iTvq/iXT2eCgWIUWo1MwUTAdBgNVHQ4EFgQUG2VYeG6bERZWvbAFkrqN
YmCc7dkwHwYDVR0jBBgwFoAUG2VYeG6bERZWvbAFkrqNYmCc7dkwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiB5zk3NmJd7+zdes0UhAmzLFdjlFHZg
Z58iDnYkfQVwWQIhAMzamUtvR6nx0grrzBaDW8rye0t8z/rYiGc9g3CWtuTg
-----END CERTIFICATE-----
`;

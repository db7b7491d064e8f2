import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { newFolder, printDevelopment, runCli } from './run-cli.ts';

interface Secret {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly stringData: { readonly [key: string]: string };
}

let dist: string;
beforeAll(async () => {
  dist = await printDevelopment();
});
afterAll(() => rmSync(dist, { recursive: true, force: true }));

async function secrets(): Promise<Secret[]> {
  const { code, stdout } = await runCli(['secrets', dist, '--json']);
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { items: Secret[] }).items.filter(({ kind }) => kind === 'Secret');
}

const named = (all: readonly Secret[], name: string): Secret[] => all.filter(({ metadata }) => metadata.name === name);

describe('secrets', () => {
  it('prints YAML for kubectl on standard output and its count elsewhere', async () => {
    const { code, stdout, stderr } = await runCli(['secrets', dist]);
    expect(code).toBe(0);
    const documents = parseAllDocuments(stdout).map((document) => document.toJS() as Secret);
    const printed = documents.filter(({ kind }) => kind === 'Secret');
    expect(printed.length).toBeGreaterThan(2);
    expect(stderr).toContain(`${printed.length} Secrets printed, 0 exist or come from elsewhere\n`);
    // The namespaces come first, for a cluster that has nothing yet, with the labels that the manifests give them.
    const namespaces = documents.slice(0, documents.length - printed.length);
    expect(namespaces.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Namespace observability',
      'Namespace otlp-stack-logs',
    ]);
    expect(namespaces[0]?.metadata).toMatchObject({ labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } });
  });

  it('gives other values in every run', async () => {
    const [first, second] = [await secrets(), await secrets()];
    expect(first.map(({ metadata }) => metadata)).toEqual(second.map(({ metadata }) => metadata));
    const passwords = (all: readonly Secret[]): string[] =>
      named(all, 'elasticsearch-users').flatMap(({ stringData }) => Object.values(stringData));
    for (const password of passwords(first)) {
      expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
      expect(passwords(second)).not.toContain(password);
    }
  });

  it('gives one name the same values in each namespace', async () => {
    const all = named(await secrets(), 'elasticsearch-users');
    expect(new Set(all.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['observability', 'otlp-stack-logs']));
    const values = new Map<string, Set<string>>();
    for (const { stringData } of all) {
      for (const [key, value] of Object.entries(stringData)) values.set(key, (values.get(key) ?? new Set()).add(value));
    }
    expect(values.size).toBeGreaterThan(1);
    for (const [key, different] of values) expect(different, key).toHaveLength(1);
  });

  it('makes a certificate that its CA signed, for the Services of those who use it', async () => {
    const certified = (await secrets()).filter(({ stringData }) => stringData['tls.crt'] !== undefined);
    expect(certified.length).toBeGreaterThan(0);
    for (const { stringData } of certified) {
      const ca = new X509Certificate(stringData['ca.crt'] ?? '');
      const leaf = new X509Certificate(stringData['tls.crt'] ?? '');
      expect(ca.ca).toBe(true);
      expect(leaf.ca).toBe(false);
      expect(leaf.verify(ca.publicKey)).toBe(true);
      expect(leaf.checkIssued(ca)).toBe(true);
      expect(leaf.checkPrivateKey(createPrivateKey(stringData['tls.key'] ?? ''))).toBe(true);
      for (const name of ['elasticsearch.observability.svc', 'elasticsearch-0.elasticsearch-headless.observability.svc.cluster.local']) {
        expect(leaf.checkHost(name), `${name} in ${leaf.subjectAltName}`).toBeDefined();
      }
      const days = (leaf.validToDate.getTime() - Date.now()) / 86_400_000;
      expect(Math.round(days)).toBe(365);
    }
  });
});

/** A pod that names Secrets in every way there is. */
const EVERY_WAY = `apiVersion: v1
kind: Pod
metadata: { name: shop, namespace: web, annotations: { otlp-stack.dev/external: vault } }
spec:
  imagePullSecrets: [{ name: registry }]
  containers:
    - name: shop
      image: shop:1
      env:
        - { name: A, valueFrom: { secretKeyRef: { name: vault, key: a } } }
        - { name: B, valueFrom: { secretKeyRef: { name: printed, key: b } } }
        - { name: C, valueFrom: { secretKeyRef: { name: login, key: admin-user } } }
        - { name: D, valueFrom: { secretKeyRef: { name: login, key: webhook-url } } }
      envFrom: [{ secretRef: { name: everything } }]
  volumes:
    - { name: v, secret: { secretName: files, items: [{ key: token, path: token }] } }
    - { name: w, projected: { sources: [{ secret: { name: login, items: [{ key: password, path: p }] } }] } }
---
apiVersion: v1
kind: Secret
metadata: { name: printed, namespace: web }
`;

describe('Secrets of any manifests', () => {
  it('are found in every way to name them; what exists, comes from elsewhere or cannot be known is not made', async () => {
    const file = join(newFolder(), 'pod.yaml');
    writeFileSync(file, EVERY_WAY);
    const { stdout: required } = await runCli(['requirements', file]);
    const lines = required
      .split('Secrets\n')[1]
      ?.split('\n\n')[0]
      ?.split('\n')
      .map((line) => line.trim());
    expect(lines?.sort()).toEqual([
      'web/everything [as a whole]: missing',
      'web/files [token]: missing',
      'web/login [admin-user, webhook-url, password]: missing',
      'web/printed [b]: printed',
      'web/registry [as a whole]: missing',
      'web/vault [a]: external',
    ]);

    const { stdout, stderr } = await runCli(['secrets', file, '--json']);
    const { items } = JSON.parse(stdout) as { items: Secret[] };
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(['files', 'login']);
    const login = items.find(({ metadata }) => metadata.name === 'login')?.stringData;
    expect(login).toMatchObject({ 'admin-user': 'admin', 'webhook-url': 'https://replace-me.invalid/' });
    expect(login?.password).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(stderr.trimEnd().split('\n').sort()).toEqual([
      '2 Secrets printed, 2 exist or come from elsewhere',
      'web/everything: not printed, as Pod/shop takes it as a whole and its keys are not in the manifests; make it yourself',
      'web/login: webhook-url is https://replace-me.invalid/ until you replace it',
      'web/registry: not printed, as Pod/shop takes it as a whole and its keys are not in the manifests; make it yourself',
    ]);
  });
});

describe('requirements', () => {
  it('tell groups of the API server from CRDs, also below k8s.io', async () => {
    const file = join(newFolder(), 'all.yaml');
    const kinds = ['v1 ConfigMap', 'networking.k8s.io/v1 Ingress', 'gateway.networking.k8s.io/v1 Gateway', 'example.com/v1 Thing'];
    const objects = kinds.map((each) => {
      const [apiVersion, kind] = each.split(' ');
      return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: one, namespace: web }\n`;
    });
    writeFileSync(file, objects.join('---\n'));
    const { stdout } = await runCli(['requirements', file, '--json']);
    expect((JSON.parse(stdout) as { crds: object[] }).crds).toEqual([
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', provider: 'unknown to otlp-stack', usedBy: ['web/one'] },
      { group: 'example.com', kind: 'Thing', provider: 'unknown to otlp-stack', usedBy: ['web/one'] },
    ]);
  });

  it('says that nothing of the Secrets is there yet, and which images are our own', async () => {
    const { code, stdout } = await runCli(['requirements', dist, '--json']);
    expect(code).toBe(0);
    const {
      kubernetes,
      secrets: references,
      images,
    } = JSON.parse(stdout) as {
      kubernetes: string;
      secrets: { namespace: string; name: string; keys: string[]; state: string }[];
      images: { image: string; own: boolean }[];
    };
    expect(kubernetes).toBe('1.29');
    expect(references.length).toBeGreaterThan(2);
    expect(references.every(({ state, keys }) => state === 'missing' && keys.length > 0)).toBe(true);
    expect(images.filter(({ own }) => own).map(({ image }) => image.replace(/:.*/, ''))).toEqual([
      'ghcr.io/otlp-stack/agent',
      'ghcr.io/otlp-stack/sample-service',
    ]);
  });

  it('names KEDA for the production profile, as a person reads it', async () => {
    const production = `${dist}-production`;
    try {
      await runCli(['synth', '--output', production]);
      const { stdout } = await runCli(['requirements', production]);
      expect(stdout).toMatch(/ScaledObject\.keda\.sh: KEDA 2\.21 .*observability\/otlp-service/);
      expect(stdout).toMatch(/Images to be built and pushed\n {2}ghcr\.io\/otlp-stack\/agent:/);
      expect(stdout).toMatch(/observability\/elasticsearch: .*Gi for each of 3/);
      expect(stdout).toMatch(/otlp-stack-logs\/elasticsearch-users \[.+\]: missing/);
    } finally {
      rmSync(production, { recursive: true, force: true });
    }
  });
});

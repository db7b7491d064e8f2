import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { printDevelopment, runCli } from './run-cli.ts';

interface Secret {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly stringData: { readonly [key: string]: string };
}

let dist: string;
beforeAll(async () => {
  dist = await printDevelopment();
}, 60_000);
afterAll(() => rmSync(dist, { recursive: true, force: true }));

async function secrets(): Promise<Secret[]> {
  const { code, stdout } = await runCli(['secrets', dist, '--json']);
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { items: Secret[] }).items;
}

const named = (all: readonly Secret[], name: string): Secret[] => all.filter(({ metadata }) => metadata.name === name);

describe('secrets', () => {
  it('prints YAML for kubectl on standard output and its count elsewhere', async () => {
    const { code, stdout, stderr } = await runCli(['secrets', dist]);
    expect(code).toBe(0);
    const documents = parseAllDocuments(stdout).map((document) => document.toJS() as Secret);
    expect(documents.length).toBeGreaterThan(2);
    expect(documents.every(({ kind }) => kind === 'Secret')).toBe(true);
    expect(stderr).toBe(`${documents.length} Secrets printed, 0 exist or come from elsewhere\n`);
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

describe('requirements', () => {
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

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { generateSchemas } from '../schemas/schemas.ts';
import { printedStacks, snapshotOf } from '../support/printed-stacks.ts';
import { CRD_MODULES, fetchCrds, goCommand } from './kubernetes-api/crds.ts';
import { barePod, defaultAccounts, inOrder, madePrivileged } from './kubernetes-api/printed.ts';
import { type ApiServer, describeReal, recordSkip, startApiServer } from './support/index.ts';

const SCHEMAS = join(import.meta.dirname, '..', 'schemas');
const ENFORCE = 'pod-security.kubernetes.io/enforce';
const REASON = 'otlp-stack.dev/pod-security-reason';
const TITLE = 'the printed objects and a real Kubernetes API server';

/** The names of what the server answers to, one line each, without what it did with it. */
const applied = (stdout: string): number => stdout.trim().split('\n').length;

function body(): void {
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer();
    await server.applyCrds(CRD_MODULES.flatMap((source) => [...fetchCrds(source).values()].map((text) => parse(text))));
  });

  describe.each(printedStacks())('$profile', (stack) => {
    const snapshot = snapshotOf(stack);
    const { first, all } = inOrder(snapshot);

    beforeAll(async () => {
      await server.apply(first);
      await server.apply(defaultAccounts(snapshot));
    });

    it('is accepted, every object, without a warning', async () => {
      const { code, stdout, stderr } = await server.dryRun(all);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(applied(stdout)).toBe(all.length);
    });

    it('makes pods that the Pod Security of their namespaces admits', async () => {
      const pods = snapshot.workloads.map(barePod);
      expect(pods.length).toBeGreaterThan(5);
      const { code, stdout, stderr } = await server.dryRun(pods);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(applied(stdout)).toBe(pods.length);
    });

    it('fails to make any of these pods once it is privileged, except in a namespace that says why it admits them', async () => {
      for (const workload of snapshot.workloads) {
        const { code, stderr } = await server.dryRun([madePrivileged(barePod(workload))]);
        const namespace = snapshot.objects.find(({ kind, name }) => kind === 'Namespace' && name === workload.namespace);
        if (namespace?.labels[ENFORCE] === 'privileged') {
          expect(namespace.annotations[REASON], namespace.name).toMatch(/\w+ \w+/);
          expect(code, stderr).toBe(0);
        } else {
          expect(stderr, workload.name).toContain('violates PodSecurity "restricted:latest": privileged');
          expect(code).not.toBe(0);
        }
      }
    });
  });

  it('describes its kinds, and the CRDs theirs, as the committed schemas do', async () => {
    const generated = await generateSchemas(server);
    expect(generated.size).toBe(1 + CRD_MODULES.length);
    for (const [file, text] of generated) expect(readFileSync(join(SCHEMAS, file), 'utf8'), file).toBe(text);
  });

  it('fails on a field that it does not know, and on a selector that does not match its template', async () => {
    const deployment =
      snapshotOf(printedStacks()[0] ?? expect.fail()).objects.find(({ kind }) => kind === 'Deployment')?.manifest ?? expect.fail();
    const spec = deployment.spec as object;
    const unknown = await server.dryRun([{ ...deployment, spec: { ...spec, replica: 3 } }]);
    expect(unknown.stderr).toContain('.spec.replica: field not declared in schema');
    const mismatch = await server.dryRun([{ ...deployment, spec: { ...spec, selector: { matchLabels: { nobody: 'here' } } } }]);
    expect(mismatch.stderr).toContain('`selector` does not match template `labels`');
  });
}

if (goCommand() === undefined) {
  recordSkip(TITLE, ['Go is not installed: the CRDs of KEDA and the Prometheus operator come from pinned Go modules']);
  describe.skip(`${TITLE} [skipped: Go is not installed]`, body);
} else {
  describeReal(['kube-apiserver', 'etcd', 'kubectl'], TITLE, body);
}

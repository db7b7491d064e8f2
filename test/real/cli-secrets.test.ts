/** The first two commands of a newcomer against an empty API server: `secrets | kubectl apply -f -`, then the manifests. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { printDevelopment, runCli } from '../apps/cli/run-cli.ts';
import { type ApiServer, describeReal, startApiServer } from './support/index.ts';

describeReal(['kube-apiserver', 'etcd', 'kubectl'], 'otlp-stack secrets and a real Kubernetes API server', () => {
  let dist: string;
  let server: ApiServer;
  beforeAll(async () => {
    dist = await printDevelopment();
    server = await startApiServer();
  });
  afterAll(() => rmSync(dist, { recursive: true, force: true }));

  it('apply to an empty cluster as they are printed, and the manifests apply after them without a conflict', async () => {
    const { stdout } = await runCli(['secrets', dist]);
    const applied = await server.ok(['apply', '-f', '-'], stdout);
    expect(applied).toContain('namespace/observability created');
    expect(applied).toContain('secret/elasticsearch-users created');
    const { code, stderr } = await server.kubectl(['apply', '--server-side', '-f', join(dist)]);
    expect(stderr).not.toContain('conflict');
    expect(code, stderr).toBe(0);
    const namespace = await server.get('namespace', 'observability');
    expect(namespace.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const secret = await server.get('secret', 'elasticsearch-users', '--namespace', 'otlp-stack-logs');
    const data = secret.data as { [key: string]: string };
    expect(Buffer.from(data['log-writer'] ?? '', 'base64').toString()).toMatch(/^[A-Za-z0-9]{32}$/);
  });
});

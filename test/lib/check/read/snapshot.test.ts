import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, ManifestReadError, readSnapshot, snapshotOf } from '../../../../lib/check/index';
import { mutated } from '../support.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'otlp-stack-check-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};
const problemsOf = (action: () => unknown): ManifestReadError['problems'] => {
  try {
    action();
  } catch (error) {
    if (error instanceof ManifestReadError) return error.problems;
    throw error;
  }
  throw new Error('it did not throw');
};
const pod = (name: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: { containers: [{ name: a, image: a:1 }] }\n`;

describe('readSnapshot', () => {
  it('reads folders with everything below them, files and JSON, and passes over what is no Kubernetes object', () => {
    write('good/a.yaml', `${pod('one')}---\n${pod('two')}---\n`);
    write('good/below/b.yml', pod('three'));
    write('good/values.yaml', 'replicas: 3\n');
    write('good/c.json', JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'four', namespace: 'shop' } }));
    write('good/.git/d.yaml', pod('hidden'));
    const { objects } = readSnapshot([join(folder, 'good')]);
    expect(objects.map(({ name }) => name).sort()).toEqual(['four', 'one', 'three', 'two']);
  });

  it('puts objects that name no namespace where the others are, or where it is told', () => {
    const named = pod('one').replace('name: one', 'name: one, namespace: shop');
    const namespacesOf = (text: string, namespace?: string) =>
      snapshotOf([{ file: 'a.yaml', text }], { namespace }).objects.map((object) => object.namespace);
    expect(namespacesOf(`${named}---\n${pod('two')}`)).toEqual(['shop', 'shop']);
    expect(namespacesOf(`${named}---\n${pod('two')}`, 'other')).toEqual(['shop', 'other']);
    expect(namespacesOf(`${named}---\n${named.replace('shop', 'bank')}---\n${pod('two')}`)).toEqual(['shop', 'bank', 'default']);
  });

  it('takes a list apart, as kubectl get -o yaml prints it, and keeps the lines', () => {
    const list = 'apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Pod\n    metadata:\n      name: one\n';
    const [object] = snapshotOf([{ file: 'list.yaml', text: list }]).objects;
    expect(object?.tree.place(['metadata', 'name'])).toEqual({
      file: 'list.yaml',
      line: 7,
      object: 'Pod default/one',
      path: 'metadata.name',
    });
  });

  it('fails on a path that does not exist', () => {
    expect(problemsOf(() => check([join(folder, 'nowhere')]))).toEqual([
      { file: join(folder, 'nowhere'), problem: 'no such file or folder', remedy: expect.stringContaining('folder') },
    ]);
  });

  it('fails on a folder without manifests, and on manifests without an object', () => {
    mkdirSync(join(folder, 'empty'));
    expect(problemsOf(() => check([join(folder, 'empty')]))[0]?.problem).toContain('no .yaml');
    write('values/values.yaml', 'a: 1\n');
    expect(problemsOf(() => check([join(folder, 'values')]))[0]?.problem).toContain('no Kubernetes object');
  });

  it('fails on every file that is not YAML, with its line and the remedy', () => {
    write('bad/a.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a\n');
    write('bad/b.yaml', 'apiVersion: v1\nkind: {{ .Values.kind }}\n');
    const problems = problemsOf(() => check([join(folder, 'bad')]));
    expect(problems.map(({ file }) => file.slice(folder.length + 1))).toEqual(expect.arrayContaining(['bad/a.yaml', 'bad/b.yaml']));
    expect(problems.every(({ line }) => line !== undefined && line > 1)).toBe(true);
    expect(problems.at(-1)?.remedy).toContain('helm template');
    expect(() => check([join(folder, 'bad')])).toThrow(/a\.yaml:\d+: not valid YAML/);
  });

  it('fails on the same key twice, as the API server does', () => {
    expect(problemsOf(() => snapshotOf([{ file: 'twice.yaml', text: 'apiVersion: v1\nkind: Pod\nkind: Job\n' }]))[0]).toMatchObject({
      file: 'twice.yaml',
      line: 3,
    });
  });
});

describe('a snapshot', () => {
  const snapshot = mutated();

  it('knows whose grammar each configuration is written in, and who reads it', () => {
    const kinds = snapshot.configs.map(({ carrier, key, kind, mounts }) => [
      carrier.name,
      key,
      kind,
      mounts.map(({ container, file }) => `${container.name}:${file}`).join(),
    ]);
    expect(kinds).toEqual([
      ['web-agent', 'agent.yaml', 'collector', 'agent:/etc/agent/agent.yaml'],
      ['web-settings', 'production.yaml', 'structured', 'web:/etc/web/production.yaml'],
      ['gateway', 'config.yaml', 'collector', 'collector:/etc/otelcol/config.yaml'],
      ['jaeger', 'jaeger.yaml', 'collector', 'jaeger:/etc/jaeger/jaeger.yaml'],
      ['prometheus', 'prometheus.yml', 'prometheus', 'prometheus:/etc/prometheus/prometheus.yml'],
      ['prometheus', 'rules.yml', 'prometheus-rules', 'prometheus:/etc/prometheus/rules.yml'],
      ['grafana', 'datasources.yaml', 'grafana-datasources', 'grafana:/etc/grafana/provisioning/datasources/datasources.yaml'],
      ['fluentd', 'fluent.conf', 'fluentd', 'fluentd:/fluentd/etc/fluent.conf'],
    ]);
  });

  it('knows the workloads, with native sidecars among the containers that last', () => {
    expect(snapshot.workloads.map(({ object }) => object.kind).sort()).toEqual(
      ['DaemonSet', 'Deployment', 'Deployment', 'Deployment', 'Deployment', 'Deployment', 'Job', 'StatefulSet', 'StatefulSet'].sort(),
    );
    const web = snapshot.workloads.find(({ name }) => name === 'web');
    expect(web?.containers.map(({ name, lasting }) => [name, lasting])).toEqual([
      ['agent', true],
      ['web', true],
    ]);
    // What comes from a field has no value in the manifest.
    expect([...(web?.containers[0]?.env ?? [])]).toEqual([['GATEWAY_HOST', 'gateway.observability.svc.cluster.local']]);
  });

  it('gives namespaces without an object of their own the label that the API server sets', () => {
    expect(snapshot.namespaces.get('logging')).toEqual({ 'kubernetes.io/metadata.name': 'logging' });
    expect(snapshot.namespaces.get('observability')).toHaveProperty(['pod-security.kubernetes.io/enforce'], 'restricted');
  });

  it('recognizes Alertmanager, dashboards and dashboard providers', () => {
    const data = {
      'alertmanager.yml': 'route: { receiver: a }\nreceivers: [{ name: a }]\n',
      'board.json': '{"title": "a", "panels": []}',
      'providers.yaml': 'apiVersion: 1\nproviders: [{ name: a }]\n',
      'run.sh': 'exec true: "\n',
    };
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data });
    expect(snapshotOf([{ file: 'a.json', text }]).configs.map(({ kind }) => kind)).toEqual([
      'alertmanager',
      'grafana-dashboard',
      'grafana-providers',
      'text',
    ]);
  });

  it('fails on a configuration that is not YAML, at its line in the file', () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  config.yaml: |\n    a: 1\n    b: [\n';
    expect(snapshotOf([{ file: 'a.yaml', text }]).unreadable).toEqual([
      expect.objectContaining({
        rule: 'config-parses',
        level: 'error',
        file: 'a.yaml',
        object: 'ConfigMap default/a',
        path: 'data["config.yaml"]',
      }),
    ]);
    expect(snapshotOf([{ file: 'a.yaml', text }]).unreadable[0]?.line).toBeGreaterThanOrEqual(8);
  });
});

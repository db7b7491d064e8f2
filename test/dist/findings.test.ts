import { readFileSync } from 'node:fs';
import { checkSnapshot, type Finding, snapshotOf } from 'otlp-stack-check';
import { describe, expect, it } from 'vitest';
import { type Document, parseAllDocuments } from 'yaml';
import { type PrintedStack, printedStacks } from '../support/printed-stacks.ts';

/** The findings of a printed stack after a change of one of its documents. */
function afterChange({ files }: PrintedStack, kind: string, name: string, change: (document: Document) => void): Finding[] {
  let changed = 0;
  const texts = files.map((file) => {
    const text = readFileSync(file, 'utf8');
    // To take a file apart and print it again is slow: only one that can hold the object.
    if (!text.includes(`kind: ${kind}\n`) || !text.includes(`name: ${name}\n`)) return { file, text };
    const documents = parseAllDocuments(text) as Document[];
    const found = documents.find((document) => document.get('kind') === kind && document.getIn(['metadata', 'name']) === name);
    if (found === undefined) return { file, text };
    change(found);
    changed += 1;
    return { file, text: documents.map(String).join('---\n') };
  });
  if (changed !== 1) throw new Error(`${changed} ${kind} ${name} to change`);
  return checkSnapshot(snapshotOf(texts));
}

const isDns = (rule: { ports?: { port?: unknown }[] }): boolean => rule.ports?.every(({ port }) => port === 53) ?? false;

describe.each(printedStacks())('the rules over the printed $profile stack', (stack) => {
  const snapshot = snapshotOf(stack.files.map((file) => ({ file, text: readFileSync(file, 'utf8') })));

  const operated = snapshot.objects.some(({ kind }) => kind === 'PrometheusRule');

  it('find nothing', () => {
    expect(checkSnapshot(snapshot)).toEqual([]);
  });

  it('saw what there is to see: configurations of each kind, Services and policies', () => {
    const kinds = new Set(snapshot.configs.map(({ kind }) => kind));
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'collector',
        // An operator's Prometheus takes its jobs and rules from custom resources.
        ...(operated ? [] : ['prometheus', 'prometheus-rules', 'alertmanager']),
        'grafana-datasources',
        'fluentd',
        'structured',
      ]),
    );
    expect(snapshot.services.length).toBeGreaterThan(5);
    expect(snapshot.policies.length).toBeGreaterThan(5);
    const unread = snapshot.configs
      .filter(({ mounts, kind }) => mounts.length === 0 && kind !== 'text')
      .map(({ carrier, key }) => `${carrier.name}/${key}`);
    expect(unread).toEqual([]);
  });

  it('fail where any policy loses its rule for DNS', () => {
    const withDns = snapshot.policies.filter(({ object }) => JSON.stringify(object.manifest).includes('"port":53'));
    expect(withDns.length).toBeGreaterThan(3);
    for (const { name, namespace } of withDns) {
      const findings = afterChange(stack, 'NetworkPolicy', name, (document) => {
        const egress = document.toJS().spec.egress as { ports?: { port?: unknown }[] }[];
        document.setIn(['spec', 'egress'], document.createNode(egress.filter((rule) => !isDns(rule))));
      });
      expect(
        findings.map(({ rule, object, path }) => [rule, object, path]),
        name,
      ).toEqual([['edges-allowed', `NetworkPolicy ${namespace}/${name}`, 'spec.egress']]);
      expect(findings[0]?.problem).toContain('may not ask DNS over UDP and TCP');
    }
  });

  it('fail where any policy admits nobody any more', () => {
    const admitting = snapshot.policies.filter(({ ingress }) => (ingress?.length ?? 0) > 0);
    expect(admitting.length).toBeGreaterThan(3);
    for (const { name, namespace } of admitting) {
      const findings = afterChange(stack, 'NetworkPolicy', name, (document) =>
        document.setIn(['spec', 'ingress'], document.createNode([])),
      );
      expect(findings.length, name).toBeGreaterThan(0);
      expect(new Set(findings.map(({ rule, object, path }) => `${rule} ${object} ${path}`)), name).toEqual(
        new Set([`edges-allowed NetworkPolicy ${namespace}/${name} spec.ingress`]),
      );
    }
  });

  it('fail where any pipeline names a receiver that is not defined', () => {
    const collectors = snapshot.configs.filter(({ kind }) => kind === 'collector');
    expect(collectors.length).toBeGreaterThan(1);
    for (const { carrier, key, text } of collectors) {
      const findings = afterChange(stack, 'ConfigMap', carrier.name, (document) =>
        document.setIn(['data', key], text.replace(/(pipelines:\n +\S+:\n +receivers:\n +- )\S+/, '$1mistyped')),
      );
      expect(
        findings.map(({ rule, object }) => `${rule} ${object}`),
        carrier.name,
      ).toContain(`pipelines-resolve ConfigMap ${carrier.namespace}/${carrier.name}`);
      expect(findings.some(({ problem }) => problem.includes('receiver "mistyped" is not defined'))).toBe(true);
    }
  });

  it('fail where any Service that somebody connects to by its port changes it', () => {
    const used = new Set<string>();
    for (const { name, ports, headless } of snapshot.services) {
      if (headless || ports.length === 0) continue;
      const findings = afterChange(stack, 'Service', name, (document) => {
        ports.forEach((_, index) => {
          document.setIn(['spec', 'ports', index, 'port'], 60_000 + index);
        });
      });
      if (findings.length > 0) used.add(name);
      expect(
        findings.every(({ rule, problem }) => rule === 'addresses-resolve' && problem.includes(`/${name} has no port`)),
        name,
      ).toBe(true);
    }
    // The application's own Service is for callers outside of the stack.
    expect(used.size).toBeGreaterThan(operated ? 2 : 3);
  });
});

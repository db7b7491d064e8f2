import { Testing } from 'cdk8s';
import fc from 'fast-check';
import { ExternalEndpoint, Fluentd, LogIndex, Protocol } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import { type FluentdDirective, printFluentd } from '../../../../lib/stack/logging/fluentd-config.ts';
import { parseFluentd } from '../../../support/fluentd-parser.ts';
import { find, synth } from '../support/manifests.ts';

const directive = fc.letrec<{ directive: FluentdDirective }>((tie) => ({
  directive: fc.record({
    name: fc.constantFrom('source', 'filter', 'match', 'parse', 'buffer', 'record'),
    argument: fc.constantFrom('', 'kubernetes.**', 'tag,time'),
    parameters: fc.dictionary(fc.stringMatching(/^[@a-z][a-z_.]{0,9}$/), fc.string({ unit: 'grapheme-ascii' })),
    directives: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant<FluentdDirective[]>([]),
      fc.array(tie('directive'), { maxLength: 2 }),
    ),
  }),
})).directive;

describe('the Fluentd printer', () => {
  it('prints what a reader of the format gets back', () => {
    fc.assert(
      fc.property(fc.array(directive, { maxLength: 4 }), (directives) => {
        expect(parseFluentd(printFluentd(directives))).toEqual(directives);
      }),
    );
  });

  it('quotes what would be cut off as a comment', () => {
    expect(printFluentd([{ name: 'match', argument: '**', parameters: { separator: ' # ' } }])).toBe(
      '<match **>\n  separator " # "\n</match>\n',
    );
  });

  it('fails on a parameter name that could open a directive', () => {
    expect(() => printFluentd([{ name: 'match', parameters: { 'a b>': '1' } }])).toThrow(/parameter 'a b>'/);
  });
});

describe('the log DaemonSet', () => {
  const chart = Testing.chart();
  const elasticsearch = new ExternalEndpoint({ name: 'http', protocol: Protocol.HTTP, host: 'search.example.com', port: 9200 });
  new Fluentd(chart, 'Fluentd', { elasticsearch, index: new LogIndex(), clusterName: 'prod-eu' });
  const objects = synth(chart);
  const config = parseFluentd(find(objects, 'ConfigMap', 'fluentd-config').data['fluent.conf']);
  const plugin = (name: string, type: string): FluentdDirective | undefined =>
    config.find((entry) => entry.name === name && entry.parameters['@type'] === type);

  it('reads CRI logs, joins partial lines, adds metadata and parses JSON, in this order', () => {
    expect(plugin('source', 'tail')?.directives?.[0]?.parameters).toEqual({ '@type': 'cri', merge_cri_fields: 'true' });
    const filters = config.filter((entry) => entry.name === 'filter').map((entry) => entry.parameters['@type']);
    expect(filters).toEqual(['concat', 'kubernetes_metadata', 'parser', 'record_transformer']);
  });

  it('creates documents in the data stream from a file buffer, every 10 s, ten retries, nothing thrown away', () => {
    const output = plugin('match', 'elasticsearch');
    expect(output?.parameters).toMatchObject({
      host: 'search.example.com',
      port: '9200',
      index_name: 'otlp-rust',
      write_operation: 'create',
      include_timestamp: 'true',
      password: `"#{ENV['ELASTICSEARCH_PASSWORD']}"`,
    });
    const [buffer, secondary] = output?.directives ?? [];
    expect(buffer?.parameters).toMatchObject({ '@type': 'file', flush_interval: '10s', retry_max_times: '10', overflow_action: 'block' });
    expect(secondary?.parameters['@type']).toBe('secondary_file');
  });

  it('mounts the logs of the pods read-only in a namespace of its own', () => {
    const daemonSet = find(objects, 'DaemonSet', 'fluentd');
    expect(daemonSet.metadata.namespace).toBe('otlp-stack-logs');
    const [container] = daemonSet.spec.template.spec.containers;
    expect(container.volumeMounts).toContainEqual({ name: 'pod-logs', mountPath: '/var/log/pods', readOnly: true });
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] }, runAsUser: 0 });
    expect(daemonSet.spec.template.spec.tolerations).toEqual([{ operator: 'Exists' }]);
  });

  it('may read pods and namespaces, and nothing else', () => {
    expect(find(objects, 'ClusterRole', 'otlp-stack-fluentd').rules).toEqual([
      { apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['get', 'list', 'watch'] },
    ]);
  });
});

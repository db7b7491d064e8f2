import { describe, expect, it } from 'vitest';
import { snapshotOf } from '../../../../lib/check/index';
import { configAddresses } from '../../../../lib/check/wiring/config-addresses';

const addressesIn = (key: string, content: string): string[] => {
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { [key]: content } });
  const [config] = snapshotOf([{ file: 'a.json', text }]).configs;
  return configAddresses(config ?? expect.fail())
    .filter(({ keyed }) => keyed)
    .map(({ text, path }) => `${path.join('.')} ${text}`);
};

describe('configAddresses', () => {
  it('of a Collector: what it sends to and asks, not where it listens', () => {
    const config = {
      extensions: {
        health_check: { endpoint: '0.0.0.0:13133' },
        oauth2client: { token_url: 'http://login/token' },
        jaeger_query: { grpc: { endpoint: '0.0.0.0:16685' } },
      },
      receivers: {
        otlp: { protocols: { grpc: { endpoint: '0.0.0.0:4317' } } },
        redis: { endpoint: 'redis:6379' },
        prometheus: {
          config: {
            scrape_configs: [
              {
                static_configs: [{ targets: ['a:1'], labels: { url: 'b:2' } }],
                relabel_configs: [{ replacement: 'c:3', target_label: 'host' }],
              },
            ],
          },
        },
      },
      exporters: { 'otlp_http/x': { traces_endpoint: 'http://x:4318' }, prometheus: { endpoint: '0.0.0.0:8889' } },
      service: {
        pipelines: { traces: { receivers: ['otlp'] } },
        telemetry: {
          metrics: {
            readers: [
              { periodic: { exporter: { otlp: { endpoint: 'http://self:4318' } } } },
              { pull: { exporter: { prometheus: { host: 'localhost' } } } },
            ],
          },
        },
      },
    };
    expect(addressesIn('config.yaml', JSON.stringify(config))).toEqual([
      'extensions.oauth2client.token_url http://login/token',
      'receivers.redis.endpoint redis:6379',
      'receivers.prometheus.config.scrape_configs.0.static_configs.0.targets.0 a:1',
      'exporters.otlp_http/x.traces_endpoint http://x:4318',
      'service.telemetry.metrics.readers.0.periodic.exporter.otlp.endpoint http://self:4318',
    ]);
  });

  it('of Fluentd: host with port, lists and URLs, of matches, stores and filters', () => {
    const config = [
      '<source>\n  @type http\n  bind 0.0.0.0\n  port 9880\n</source>',
      '<filter **>\n  @type kubernetes_metadata\n  kubernetes_url https://kubernetes.default.svc\n</filter>',
      '<match **>\n  @type copy\n  <store>\n    @type elasticsearch\n    host es\n    port 9200\n  </store>\n  <store>\n    hosts http://a:1,http://b:2\n  </store>\n</match>',
    ].join('\n');
    expect(addressesIn('fluent.conf', config)).toEqual([
      '8 https://kubernetes.default.svc',
      '14 es:9200',
      '18 http://a:1',
      '18 http://b:2',
    ]);
  });

  it('of Alertmanager and data sources: URLs, and nothing of what people click on', () => {
    const alertmanager = {
      route: { receiver: 'a' },
      receivers: [{ name: 'a', webhook_configs: [{ url: 'http://hook:80/x' }], email_configs: [{ smarthost: 'mail:25' }] }],
    };
    expect(addressesIn('alertmanager.yml', JSON.stringify(alertmanager))).toEqual([
      'receivers.0.webhook_configs.0.url http://hook:80/x',
      'receivers.0.email_configs.0.smarthost mail:25',
    ]);
    expect(
      addressesIn('datasources.yaml', JSON.stringify({ datasources: [{ url: 'http://p:9090', jsonData: { url: 'http://link' } }] })),
    ).toEqual(['datasources.0.url http://p:9090']);
    expect(addressesIn('board.json', JSON.stringify({ panels: [], links: [{ url: 'http://link' }] }))).toEqual([]);
  });

  it('of scripts and properties: URLs, without comments and the own address', () => {
    expect(addressesIn('run.sh', '# see http://docs\ncurl http://es:9200/_ilm\n')).toEqual(['2 http://es:9200/_ilm']);
    expect(addressesIn('grafana.ini', '[server]\nroot_url = http://me\n')).toEqual([]);
  });
});

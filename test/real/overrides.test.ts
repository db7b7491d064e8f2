import { describe, expect, it } from 'vitest';
import { applyOverrides, OVERRIDES, overridesTable } from './overrides.ts';

describe('applyOverrides', () => {
  it('changes an address alone, inside of a URL and as host and port, and nothing that only begins alike', () => {
    const printed = {
      a: '0.0.0.0:4317',
      b: ['http://prometheus.observability.svc:9090/api/v1/otlp', 'prometheus.observability.svc:90901'],
      reader: { host: '0.0.0.0', port: 8888 },
    };
    const changed = applyOverrides(printed, [
      { id: 'listen-address', from: '0.0.0.0:4317', to: '127.0.0.1:1' },
      { id: 'listen-address', from: '0.0.0.0:8888', to: '127.0.0.1:2' },
      { id: 'peer-address', from: 'prometheus.observability.svc:9090', to: '127.0.0.1:3' },
    ]);
    expect(changed).toEqual({
      a: '127.0.0.1:1',
      b: ['http://127.0.0.1:3/api/v1/otlp', 'prometheus.observability.svc:90901'],
      reader: { host: '127.0.0.1', port: 2 },
    });
    expect(printed.a).toBe('0.0.0.0:4317');
  });

  it('takes variables of the Collector as part of an address', () => {
    const from = '$' + '{env:MY_POD_IP}:4317';
    expect(applyOverrides({ endpoint: from }, [{ id: 'listen-address', from, to: '127.0.0.1:1' }])).toEqual({ endpoint: '127.0.0.1:1' });
  });

  it('changes a folder and what lies below, but no longer name', () => {
    const changed = applyOverrides(
      ['/var/lib/otelcol', '/var/lib/otelcol/queue', '/var/lib/otelcol2', 'x/var/lib/otelcol'],
      [{ id: 'file-path', from: '/var/lib/otelcol', to: '/tmp/t' }],
    );
    expect(changed).toEqual(['/tmp/t', '/tmp/t/queue', '/var/lib/otelcol2', 'x/var/lib/otelcol']);
  });

  it('sets and removes credentials at their place', () => {
    const printed = { es: { auth: { basic: { username: 'elastic', password_file: '/secret' } } } };
    expect(
      applyOverrides(printed, [{ id: 'credentials', at: ['es', 'auth', 'basic', 'password_file'], to: '/tmp/p' }]).es.auth.basic
        .password_file,
    ).toBe('/tmp/p');
    expect(applyOverrides(printed, [{ id: 'credentials', at: ['es', 'auth'], to: undefined }])).toEqual({ es: {} });
  });

  it('points discovery and k8s_attributes to a kubeconfig', () => {
    const prometheus = { scrape_configs: [{ job_name: 'pods', kubernetes_sd_configs: [{ role: 'pod' }, { role: 'node' }] }] };
    const sd = [
      { role: 'pod', kubeconfig_file: '/k' },
      { role: 'node', kubeconfig_file: '/k' },
    ];
    expect(applyOverrides(prometheus, [{ id: 'api-server', kubeconfig: '/k' }]).scrape_configs[0]?.kubernetes_sd_configs).toEqual(sd);
    const collector = {
      processors: { k8s_attributes: { auth_type: 'serviceAccount' } },
      service: { pipelines: { traces: { processors: ['k8s_attributes'] } } },
    };
    expect(applyOverrides(collector, [{ id: 'k8s-attributes-auth' }]).processors.k8s_attributes.auth_type).toBe('kubeConfig');
  });

  it('replaces an exporter in its pipelines', () => {
    const printed = {
      exporters: { 'elasticsearch/logs': { endpoints: ['x'] }, nop: {} },
      service: { pipelines: { logs: { exporters: ['elasticsearch/logs', 'nop'] } } },
    };
    expect(applyOverrides(printed, [{ id: 'exporter-without-binary', exporter: 'elasticsearch/logs' }])).toEqual({
      exporters: { nop: {}, 'debug/elasticsearch-logs': {} },
      service: { pipelines: { logs: { exporters: ['debug/elasticsearch-logs', 'nop'] } } },
    });
  });

  it('appends one relabelling rule to the printed ones of a job', () => {
    const printed = { scrape_configs: [{ job_name: 'pods', relabel_configs: [{ action: 'keep' }] }] };
    const changed = applyOverrides(printed, [{ id: 'pod-address', job: 'pods', from: '10.0.0.5:8888', to: '127.0.0.1:7' }]);
    expect(changed.scrape_configs[0]?.relabel_configs).toEqual([
      { action: 'keep' },
      { source_labels: ['__address__'], regex: '10\\.0\\.0\\.5:8888', target_label: '__address__', replacement: '127.0.0.1:7' },
    ]);
  });

  it('fails when there is nothing to change', () => {
    const nothing = /override '.*' found nothing to change/;
    expect(() => applyOverrides({ a: 'b:1' }, [{ id: 'peer-address', from: 'c:1', to: 'd:1' }])).toThrow(nothing);
    expect(() => applyOverrides({}, [{ id: 'k8s-attributes-auth' }])).toThrow(nothing);
    expect(() => applyOverrides({ scrape_configs: [] }, [{ id: 'pod-address', job: 'x', from: 'a', to: 'b' }])).toThrow(nothing);
    expect(() => applyOverrides({}, [{ id: 'credentials', at: ['a', 'b'], to: 1 }])).toThrow(nothing);
  });
});

describe('the list', () => {
  it('has each id once, with words, and prints them all', () => {
    const ids = OVERRIDES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, what, why } of OVERRIDES) expect(overridesTable()).toContain(`| ${id} | ${what} | ${why} |`);
  });
});

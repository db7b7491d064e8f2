// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${env:NAME} is what production.yaml holds
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDuration } from '../../../apps/sample-service/config/durations.ts';
import { loadSettings, settingsFromText } from '../../../apps/sample-service/config/load.ts';
import { ConfigError } from '../../../apps/sample-service/config/problems.ts';
import { SERVICE_CONFIG_KEYS, serviceConfigSchema } from '../../../apps/sample-service/config.ts';

const problemsOf = (text: string, env: { [name: string]: string } = {}): readonly string[] => {
  try {
    settingsFromText(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe('production.yaml', () => {
  it('has the documented defaults', () => {
    expect(serviceConfigSchema.parse({})).toEqual({
      service: { name: 'sample-service', environment: 'development', instance_id: hostname(), port: 8080 },
      exporter: { protocol: 'http/protobuf', compression: 'none', timeout: 30_000 },
      batch: { queue_size: 8192, export_size: 1024, delay: 100, concurrency: 20 },
      resource: { attributes: {} },
      metrics: { interval: 60_000 },
      logs: { export: false, level: 'info' },
      server: { shutdown: 10_000 },
    });
    const settings = settingsFromText('');
    expect(settings.traces?.url).toBe('http://localhost:4318/v1/traces');
    expect(settings.metrics?.url).toBe('http://localhost:4318/v1/metrics');
    expect(settings.logs).toBeUndefined();
    expect(settings.batch).toEqual({ queueSize: 8192, exportSize: 1024, delayMs: 100, concurrency: 20 });
  });

  it('is documented key by key in the README, with the defaults', () => {
    const readme = readFileSync(new URL('../../../apps/sample-service/README.md', import.meta.url), 'utf8');
    const documented = parse(/```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '') as { [section: string]: { [key: string]: unknown } };
    expect(Object.fromEntries(Object.entries(documented).map(([section, keys]) => [section, Object.keys(keys)]))).toEqual(
      SERVICE_CONFIG_KEYS,
    );
    const { service, exporter, batch, metrics, logs, server } = documented;
    const written = {
      service: { ...service, instance_id: hostname() },
      exporter,
      batch,
      metrics,
      logs,
      server: { shutdown: server?.shutdown },
    };
    expect(serviceConfigSchema.parse(written)).toEqual(serviceConfigSchema.parse({ exporter: { endpoint: 'http://localhost:4318' } }));
  });

  it('sends gRPC to 4317 unless an endpoint is given', () => {
    expect(settingsFromText('exporter: { protocol: grpc }').traces).toMatchObject({ protocol: 'grpc', url: 'http://localhost:4317' });
    expect(settingsFromText('exporter: { protocol: grpc, endpoint: "http://agent:9" }').traces?.url).toBe('http://agent:9');
  });

  it('warns when protocol and conventional port do not fit', () => {
    expect(settingsFromText('exporter: { protocol: grpc, endpoint: "http://agent:4318" }').warnings).toContain(
      'traces go to http://agent:4318 by grpc, but port 4318 is by convention http/protobuf',
    );
    expect(settingsFromText('').warnings).toEqual([]);
  });

  it('reads durations with units', () => {
    expect(['100ms', '30s', '1.5s', '1m30s', '2h'].map(parseDuration)).toEqual([100, 30_000, 1500, 90_000, 7_200_000]);
    expect(['', '30', 's', '-1s', '1 s', '1d'].map(parseDuration)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('expands ${env:NAME}, with defaults, and keeps $$ as a dollar sign', () => {
    const text =
      'resource:\n  attributes:\n    k8s.pod.name: ${env:POD}\n    k8s.node.name: ${env:NODE:-none}\n    price: $$5\nservice: { port: "${env:PORT}" }';
    const settings = settingsFromText(text, { POD: 'pod-1', PORT: '9000' });
    expect(settings.resource).toMatchObject({ 'k8s.pod.name': 'pod-1', 'k8s.node.name': 'none', price: '$5' });
    expect(settings.port).toBe(9000);
  });
});

describe('precedence: OTEL_* > OTLP__ > file > default', () => {
  const file = 'service: { name: from-file }\nexporter: { endpoint: "http://file:1", timeout: 1s }\nbatch: { queue_size: 2000, delay: 1s }';

  it('file over default', () => {
    expect(settingsFromText(file)).toMatchObject({
      service: { name: 'from-file' },
      traces: { url: 'http://file:1/v1/traces', timeoutMs: 1000 },
    });
  });

  it('OTLP__ over file, numbers and durations included', () => {
    const env = {
      OTLP__SERVICE__NAME: 'from-override',
      OTLP__SERVICE__ENVIRONMENT: 'blue',
      OTLP__SERVICE__INSTANCE_ID: 'pod-7',
      OTLP__EXPORTER__ENDPOINT: 'http://override:2/',
      OTLP__BATCH__QUEUE_SIZE: '3000',
      OTLP__LOGS__EXPORT: 'true',
    };
    const settings = settingsFromText(file, env);
    expect(settings).toMatchObject({
      service: { name: 'from-override', environment: 'blue', instanceId: 'pod-7' },
      traces: { url: 'http://override:2/v1/traces', timeoutMs: 1000 },
      logs: { url: 'http://override:2/v1/logs' },
      batch: { queueSize: 3000, delayMs: 1000 },
    });
    expect(settings.resource).toMatchObject({
      'service.name': 'from-override',
      'service.instance.id': 'pod-7',
      'deployment.environment.name': 'blue',
      'deployment.environment': 'blue',
    });
  });

  it('OTEL_* over OTLP__', () => {
    const env = {
      OTLP__SERVICE__NAME: 'from-override',
      OTLP__EXPORTER__ENDPOINT: 'http://override:2',
      OTLP__BATCH__QUEUE_SIZE: '3000',
      OTLP__LOGS__EXPORT: 'true',
      OTEL_SERVICE_NAME: 'from-otel',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:3',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_BSP_MAX_QUEUE_SIZE: '4000',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '500',
      OTEL_BSP_SCHEDULE_DELAY: '20',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_LOGS_EXPORTER: 'none',
    };
    expect(settingsFromText(file, env)).toMatchObject({
      service: { name: 'from-otel' },
      traces: { url: 'http://otel:3/v1/traces', timeoutMs: 2500, compression: 'gzip' },
      metrics: { intervalMs: 5000 },
      logs: undefined,
      batch: { queueSize: 4000, exportSize: 500, delayMs: 20 },
    });
  });

  it('a signal of its own over all signals, and its endpoint as it stands', () => {
    const settings = settingsFromText('', {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:2/own/path',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '7000',
    });
    expect(settings.traces).toMatchObject({ url: 'http://traces:2/own/path', protocol: 'http/protobuf', timeoutMs: 30_000 });
    expect(settings.metrics).toMatchObject({ url: 'http://all:1', protocol: 'grpc', timeoutMs: 7000 });
  });

  it('resource attributes: OTEL_RESOURCE_ATTRIBUTES over the file, OTEL_SERVICE_NAME over both', () => {
    const text = 'resource:\n  attributes:\n    deployment.environment: from-file\n    k8s.cluster.name: one\n    team: shop';
    const settings = settingsFromText(text, {
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=listed,k8s.cluster.name=two%20words,service.instance.id=x',
      OTEL_SERVICE_NAME: 'named',
    });
    expect(settings.resource).toMatchObject({
      'service.name': 'named',
      'service.instance.id': 'x',
      'deployment.environment.name': 'from-file',
      'deployment.environment': 'from-file',
      'k8s.cluster.name': 'two words',
      team: 'shop',
    });
    expect(settings.service).toEqual({ name: 'named', environment: 'from-file', instanceId: 'x' });
  });

  it('none turns traces or metrics off', () => {
    const settings = settingsFromText('', { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' });
    expect([settings.traces, settings.metrics]).toEqual([undefined, undefined]);
  });

  it('empty variables count as unset', () => {
    expect(settingsFromText(file, { OTLP__SERVICE__NAME: '', OTEL_SERVICE_NAME: '' }).service.name).toBe('from-file');
  });
});

describe('wrong configuration', () => {
  it('fails with file, line and the nearest key', () => {
    expect(problemsOf('service:\n  name: a\n  prot: 80')).toEqual([
      "production.yaml:3: unknown key 'service.prot'; did you mean 'port'? known here: name, environment, instance_id, port",
    ]);
    expect(problemsOf('servce: {}')[0]).toContain("production.yaml:1: unknown key 'servce'; did you mean 'service'?");
  });

  it('fails with the variable that a value came from', () => {
    expect(problemsOf('', { OTLP__SERVICE__PRT: '1' })).toEqual([
      "OTLP__SERVICE__PRT: no key 'prt' in section 'service'; did you mean 'port'? known here: name, environment, instance_id, port",
    ]);
    expect(problemsOf('', { OTLP__BATCHES__DELAY: '1s' })[0]).toContain("no section 'batches'; did you mean 'batch'?");
    expect(problemsOf('', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })[0]).toContain(
      'OTEL_EXPORTER_OTLP_PROTOCOL: exporter.protocol is "http/json"',
    );
    expect(problemsOf('', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'agent:4317' })).toEqual([
      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'agent:4317' is not valid; expected a URL with http:// or https://",
    ]);
    expect(problemsOf('', { OTEL_TRACES_EXPORTER: 'zipkin' })).toEqual([
      "OTEL_TRACES_EXPORTER: 'zipkin' is not valid; expected otlp or none",
    ]);
    expect(problemsOf('', { OTEL_RESOURCE_ATTRIBUTES: 'a=1,b' })[0]).toContain("OTEL_RESOURCE_ATTRIBUTES: 'b' is no key=value pair");
  });

  it('fails for every wrong value at once', () => {
    const text =
      'service: { port: 70000 }\nexporter:\n  timeout: 30\n  endpoint: agent:4317\nbatch: { queue_size: 10, export_size: 20 }\nresource: { attributes: { list: [1] } }';
    const problems = problemsOf(text);
    expect(problems).toHaveLength(5);
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.stringContaining('production.yaml:1: service.port is 70000: '),
        'production.yaml:3: exporter.timeout is 30: expected a duration with a unit, such as 100ms, 30s or 5m',
        expect.stringContaining('production.yaml:4: exporter.endpoint is "agent:4317": expected a URL'),
        'production.yaml:5: batch.export_size is 20: expected at most batch.queue_size',
        expect.stringContaining('production.yaml:6: resource.attributes.list is [1]: expected text, a number or a boolean'),
      ]),
    );
  });

  it('fails on what is not YAML, no mapping, or a variable that is not set', () => {
    expect(problemsOf('service: [')[0]).toMatch(/^production\.yaml:1: not YAML: /);
    expect(problemsOf('- a')).toEqual(["production.yaml:1: expected a mapping with sections such as 'service:', got a list"]);
    expect(problemsOf('service:\n  name: ${env:NOBODY}')).toEqual([
      'production.yaml:2: ${env:NOBODY} is not set; set NOBODY, or give a default: ${env:NOBODY:-value}',
    ]);
  });

  it('fails when a file that was named does not exist, but not for the default path', () => {
    const load = (path?: string) => () => loadSettings({ path, env: {}, version: '1' });
    expect(load('/no/such/file.yaml')).toThrow(
      '/no/such/file.yaml: no such file; name the configuration with --config or OTLP_CONFIG_FILE',
    );
    expect(load()().configFile).toBeUndefined();
  });
});

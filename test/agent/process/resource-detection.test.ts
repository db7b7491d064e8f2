import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { printProblem } from '../../../agent/config/problems.ts';
import { createAgent } from '../../../agent/index.ts';
import { parseCpuInfo } from '../../../agent/process/detect/cpu.ts';
import { Detection, DetectionError } from '../../../agent/process/detect/detection.ts';
import { detectEnvironment } from '../../../agent/process/detect/env.ts';
import { detectDownward, parseDownwardFile } from '../../../agent/process/detect/kubernetes-downward.ts';
import { distributionOf } from '../../../agent/process/detect/os-description.ts';
import { detectSystem, fromHostsFile, SYSTEM_ATTRIBUTES } from '../../../agent/process/detect/system.ts';
import type { ResourceDetectionSettings } from '../../../agent/process/resource-detection-config.ts';
import { finish, type LogLine, post, recordingLog, startAgent, until } from '../kit/agent.ts';
import { decode, request } from '../kit/otlp.ts';
import { agentSettings, grpcExporter, PATHS } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';
import { loadYaml, MINIMAL, problemsOf } from '../support/config.ts';

const NAMES = ['OTEL_RESOURCE_ATTRIBUTES', 'OTEL_RESOURCE', 'K8S_POD_NAME', 'K8S_NODE_NAME', 'TEST_UID'];
const before = new Map(NAMES.map((name) => [name, process.env[name]]));
const folder = mkdtempSync(join(tmpdir(), 'otlp-stack-detect-'));

afterEach(() => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

function settings(config: string): ResourceDetectionSettings {
  const sets = [`processors.resource_detection=${config}`, 'service.pipelines.traces.processors=[resource_detection]'];
  return loadYaml(MINIMAL, { sets }).settings.processors.resource_detection as ResourceDetectionSettings;
}

describe('the detector env', () => {
  it.each<[string, Record<string, string>]>([
    ['a=b', { a: 'b' }],
    [' a = b , c=d ', { a: 'b', c: 'd' }],
    ['a=', { a: '' }],
    ['path=%2Fvar%2Flog,plus=a+b,utf=%C3%A4', { path: '/var/log', plus: 'a b', utf: 'ä' }],
    ['a=1,a=2', { a: '2' }],
    ['a=b=c', { a: 'b=c' }],
  ])('reads %s', (text, expected) => {
    expect(Object.fromEntries(detectEnvironment({ OTEL_RESOURCE_ATTRIBUTES: text }).attributes)).toEqual(expected);
  });

  it('reads the older variable where the other is empty', () => {
    expect(Object.fromEntries(detectEnvironment({ OTEL_RESOURCE_ATTRIBUTES: ' ', OTEL_RESOURCE: 'a=b' }).attributes)).toEqual({ a: 'b' });
    expect(detectEnvironment({}).attributes.size).toBe(0);
  });

  it.each(['no pair', 'a=b,nothing', 'ä=b', 'a=%zz'])('fails on %s', (text) => {
    expect(() => detectEnvironment({ OTEL_RESOURCE_ATTRIBUTES: text })).toThrow(/is no key=value pair|hexadecimal/u);
  });
});

describe('the detector system', () => {
  it('has the attributes that are switched on', async () => {
    const found = await detectSystem({ hostnameSources: ['os'], attributes: new Set(SYSTEM_ATTRIBUTES) }, () => {});
    expect(found.attributes.get('host.name')).toBe(hostname());
    expect(found.attributes.get('os.type')).toBe(process.platform);
    expect(found.schemaUrl).toBe('https://opentelemetry.io/schemas/1.40.0');
    const few = await detectSystem({ hostnameSources: ['os'], attributes: new Set(['host.arch']) }, () => {});
    expect([...few.attributes.keys()]).toEqual(['host.arch']);
  });

  it('finds the first name in the line of the hosts file that has the name', () => {
    const text = '# me shop\n127.0.0.1 localhost\n10.0.0.7\tshop.example.org  shop me # and not this\n10.0.0.8 me\n';
    expect(fromHostsFile('shop', text)).toBe('shop.example.org');
    expect(fromHostsFile('me', text)).toBe('shop.example.org');
    expect(fromHostsFile('localhost', text)).toBe('localhost');
    expect(fromHostsFile('this', text)).toBeUndefined();
  });
});

describe('the parts of the detector system', () => {
  it('reads the first processor of /proc/cpuinfo, of x86 alone', () => {
    const text =
      'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Xeon: fast\nstepping\t: 7\ncache size\t: 1024 KB\n\n';
    const first = { vendorId: 'GenuineIntel', family: '6', modelId: '85', modelName: 'Xeon: fast', stepping: 7, cacheL2Size: 1024 };
    expect(parseCpuInfo(text + text.replaceAll('85', '99').replace(': 0', ': 1'))).toEqual(first);
    expect(parseCpuInfo('processor\t: 0\nCPU implementer\t: 0x41\n')).toBeUndefined();
  });

  it.each([
    ['NAME="Debian GNU/Linux"\nVERSION="12 (bookworm)"\nPRETTY_NAME=x', 'Debian GNU/Linux 12 (bookworm)'],
    ["# VERSION=1\nNAME='Alpine'\nVERSION_ID=3.20", 'Alpine 3.20'],
    ['NAME="No version"\nPRETTY_NAME="Pretty \\"quoted\\""', 'Pretty "quoted"'],
    ['', ''],
  ])('makes of %j the distribution %j', (text, expected) => {
    expect(distributionOf(text)).toBe(expected);
  });
});

describe('the detector kubernetes_downward', () => {
  it('reads what the kubelet writes: quoted values with every escape of Go', () => {
    expect(Object.fromEntries(parseDownwardFile('app="shop"\nweird/key="a \\"b\\"\\n\\\\ \\u00e4\\x01"\nempty=""\nbroken\n'))).toEqual({
      app: 'shop',
      'weird/key': 'a "b"\n\\ ä\u0001',
      empty: '',
    });
  });

  it('takes names from variables, chosen labels from a file, and says where a file is missing', () => {
    const labels = join(folder, 'labels');
    writeFileSync(labels, 'app="shop"\nhash="1"\n');
    const { downward } = settings(
      `{detectors: [kubernetes_downward], kubernetes_downward: {pod_uid: TEST_UID, labels_file: ${labels}, labels: [app]}}`,
    );
    expect(Object.fromEntries(detectDownward(downward, { K8S_POD_NAME: 'shop-0', TEST_UID: 'u', K8S_NODE_NAME: '' }).attributes)).toEqual({
      'k8s.pod.name': 'shop-0',
      'k8s.pod.uid': 'u',
      'k8s.pod.label.app': 'shop',
    });
    expect(() => detectDownward({ ...downward, annotationsFile: join(folder, 'none') }, {})).toThrow(/ENOENT/u);
  });
});

describe('the resource_detection processor', () => {
  it('in a pipeline sets what was found at start, and what is found later, without touching spans', async () => {
    const labels = join(folder, 'changing');
    writeFileSync(labels, 'version="1"\n');
    process.env.K8S_POD_NAME = 'shop-0';
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'k8s.pod.name=second,team=blue';
    const sink = await grpcSink();
    const running = await startAgent({
      exporters: [grpcExporter(sink.port)],
      processors: [
        settings(`{detectors: [kubernetes_downward, env], refresh_interval: 20ms, kubernetes_downward: {labels_file: ${labels}}}`),
      ],
    });
    const send = async (): Promise<Record<string, unknown>> => {
      const seen = sink.received.length;
      expect((await post(running.httpPort, PATHS.traces, request('traces', 2, 'x', 2))).status).toBe(200);
      await until(() => sink.received.length > seen);
      const sent = decode('traces', (sink.received.at(-1) as { body: Buffer }).body) as {
        resourceSpans: { resource: { attributes: { key: string; value: { stringValue: string } }[] } }[];
      };
      expect(sent.resourceSpans).toHaveLength(2);
      return Object.fromEntries(sent.resourceSpans[1]?.resource.attributes.map(({ key, value }) => [key, value.stringValue]) ?? []);
    };
    expect(await send()).toEqual({ 'service.name': 'x-1', 'k8s.pod.name': 'shop-0', team: 'blue', 'k8s.pod.label.version': '1' });
    writeFileSync(labels, 'version="2"\n');
    const detected = (): number => running.lines.filter(({ event }) => event === 'resource detected').length;
    const soFar = detected();
    // One of them may have been under way.
    await until(() => detected() > soFar + 1);
    expect(await send()).toMatchObject({ 'k8s.pod.label.version': '2' });
    // What cannot be read any more stays as it was.
    rmSync(labels);
    await until(() => running.lines.some(({ event }) => event === 'resource not detected again'));
    expect(await send()).toMatchObject({ 'k8s.pod.label.version': '2' });
    await finish(running);
    await sink.close();
  });

  it('fails the start, with the path of the processor, where a detector cannot find what it must', async () => {
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'nonsense';
    const created = createAgent(agentSettings({ exporters: [grpcExporter(1)], processors: [settings('{detectors: [env]}')] }), {
      log: recordingLog([]),
    });
    await expect(created).rejects.toThrow(DetectionError);
    await expect(created).rejects.toThrow('processors.resource_detection: detector env: "nonsense" is no key=value pair');
  });

  it('fails a reload, and runs on with what it found, where a detector cannot find what it must', async () => {
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'team=blue';
    const sink = await grpcSink();
    const shape = { exporters: [grpcExporter(sink.port)], processors: [settings('{detectors: [env]}')] };
    const running = await startAgent(shape);
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'nonsense';
    const next = { ...running.agent.settings, processors: { resource_detection: settings('{detectors: [env], override: false}') } };
    await expect(running.agent.reload(next)).rejects.toThrow(DetectionError);
    expect((await post(running.httpPort, PATHS.traces, request('traces', 1))).status).toBe(200);
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'team=green';
    await running.agent.reload(next);
    expect((await post(running.httpPort, PATHS.traces, request('traces', 1))).status).toBe(200);
    await until(() => sink.received.length === 2);
    expect(sink.received.map(({ body }) => /"(blue|green)"/u.exec(JSON.stringify(decode('traces', body)))?.[1])).toEqual(['blue', 'green']);
    await finish(running);
    await sink.close();
  });

  it('warns where the downward API says nothing, and fails with fail_on_missing_metadata', async () => {
    for (const name of NAMES) delete process.env[name];
    const lines: LogLine[] = [];
    const lenient = new Detection(settings('{detectors: [kubernetes_downward]}'), recordingLog(lines));
    await lenient.detect();
    expect(lenient.current.attributes.size).toBe(0);
    expect(lines.some(({ level }) => level === 'warn')).toBe(true);
    const strict = new Detection(settings('{detectors: [kubernetes_downward], fail_on_missing_metadata: true}'), recordingLog([]));
    await expect(strict.detect()).rejects.toThrow(/none of K8S_POD_NAME, .* is set/u);
  });
});

describe('configuration of the resource_detection processor', () => {
  it('has the defaults of upstream, under its older name too', () => {
    const sets = ['processors.resourcedetection=', 'service.pipelines.traces.processors=[resourcedetection]'];
    expect(loadYaml(MINIMAL, { sets }).settings.processors.resourcedetection).toMatchObject({
      kind: 'resource_detection',
      detectors: ['env'],
      override: true,
      timeoutMs: 5000,
      refreshIntervalMs: 0,
      failOnMissingMetadata: false,
      retry: { enabled: true, initialIntervalMs: 1000, multiplier: 2, maxIntervalMs: 30_000, maxElapsedMs: 0 },
      system: { hostnameSources: ['dns', 'os'], attributes: new Set(['host.name', 'os.type']) },
    });
  });

  it.each([
    ['{detectors: [ec2]}', 'there is no detector "ec2" here, only env, system, kubernetes_downward'],
    ['{detectors: [system], system: {hostname_sources: [guess]}}', '"guess" is none of dns, os, cname, lookup'],
    ['{detectors: [system], system: {resource_attributes: {os.version: {enabled: true}}}}', 'this agent does not detect it'],
    ['{timeout: 0s}', 'must be greater than 0, or retry.max_elapsed_time must'],
  ])('fails on %s', (config, message) => {
    const sets = [`processors.resource_detection=${config}`, 'service.pipelines.traces.processors=[resource_detection]'];
    expect(problemsOf(MINIMAL, { sets }).map(printProblem).join('\n')).toContain(message);
  });
});

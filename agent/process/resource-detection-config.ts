import { component } from '../config/component.ts';
import { bool, duration, float, text, textList } from '../config/fields.ts';
import { timerMs } from '../config/go-duration.ts';
import { type Output, section } from '../config/section.ts';
import { type RetrySettings, SIGNALS } from '../config/settings.ts';
import type { DownwardDetectorSettings } from './detect/kubernetes-downward.ts';
import { HOSTNAME_SOURCES, type HostnameSource, SYSTEM_ATTRIBUTES, type SystemDetectorSettings } from './detect/system.ts';

export interface ResourceDetectionSettings {
  readonly kind: 'resource_detection';
  readonly id: string;
  /** env, system, kubernetes_downward; the first that says something wins. */
  readonly detectors: readonly string[];
  /** Whether attributes that the resource has already are replaced. */
  readonly override: boolean;
  /** 0 is without end. */
  readonly timeoutMs: number;
  /** 0 is never again. */
  readonly refreshIntervalMs: number;
  readonly failOnMissingMetadata: boolean;
  readonly retry: RetrySettings;
  readonly system: SystemDetectorSettings;
  readonly downward: DownwardDetectorSettings;
}

const DETECTORS = ['env', 'system', 'kubernetes_downward'];

/** Attributes of upstream's system detector that this one has not. */
const NOT_HERE = ['os.build.id', 'os.name', 'os.version'] as const;

const ON_BY_DEFAULT: ReadonlySet<string> = new Set(['host.name', 'os.type']);

const attributeSwitch = (name: string, supported: boolean) =>
  section(
    {
      enabled: bool({
        describe: supported ? `Whether ${name} is set.` : `Whether ${name} is set; not supported.`,
        default: ON_BY_DEFAULT.has(name),
      }),
    },
    { describe: `The attribute ${name}.` },
  );

type Switch = ReturnType<typeof attributeSwitch>;

const shape = {
  detectors: textList({ describe: `Of ${DETECTORS.join(', ')}; the first that says something wins.`, default: ['env'] }),
  override: bool({ describe: 'Replaces attributes that the resource has already.', default: true }),
  timeout: duration({ describe: 'For all detectors together at start; 0 waits without end.', default: 5000, shows: '5s' }),
  refresh_interval: duration({ describe: 'Detects again after this time; 0 is never.', default: 0, shows: 'never' }),
  fail_on_missing_metadata: bool({ describe: 'Whether a detector that finds nothing fails the start.', default: false }),
  retry: section(
    {
      enabled: bool({ describe: 'Whether a detector that failed is asked again.', default: true }),
      initial_interval: duration({ describe: 'Wait before the first retry.', default: 1000, shows: '1s' }),
      randomization_factor: float({ describe: 'Each wait is the interval times 1 - factor to 1 + factor, at random.', default: 0.5 }),
      multiplier: float({ describe: 'Each interval is the one before times this.', default: 2 }),
      max_interval: duration({ describe: 'The longest interval.', default: 30_000, shows: '30s' }),
      max_elapsed_time: duration({ describe: 'After this time it is given up; 0 leaves it to timeout.', default: 0, shows: '0s' }),
    },
    { describe: 'When a detector that failed is asked again.' },
  ),
  system: section(
    {
      hostname_sources: textList({
        describe: `Of ${HOSTNAME_SOURCES.join(', ')}; asked one after the other.`,
        default: [],
      }),
      resource_attributes: section(
        Object.fromEntries([
          ...SYSTEM_ATTRIBUTES.map((name) => [name, attributeSwitch(name, true)]),
          ...NOT_HERE.map((name) => [name, attributeSwitch(name, false)]),
        ]) as Record<(typeof SYSTEM_ATTRIBUTES)[number] | (typeof NOT_HERE)[number], Switch>,
        { describe: 'Which attributes are set.' },
      ),
    },
    { describe: 'The detector system: host and operating system.' },
  ),
  kubernetes_downward: section(
    {
      pod_name: text({ describe: 'Variable of k8s.pod.name (metadata.name).', default: 'K8S_POD_NAME' }),
      namespace: text({ describe: 'Variable of k8s.namespace.name (metadata.namespace).', default: 'K8S_NAMESPACE_NAME' }),
      pod_uid: text({ describe: 'Variable of k8s.pod.uid (metadata.uid).', default: 'K8S_POD_UID' }),
      pod_ip: text({ describe: 'Variable of k8s.pod.ip (status.podIP).', default: 'K8S_POD_IP' }),
      node_name: text({ describe: 'Variable of k8s.node.name (spec.nodeName).', default: 'K8S_NODE_NAME' }),
      labels_file: text({ describe: 'File of a downwardAPI volume with metadata.labels: each becomes k8s.pod.label.<key>.', default: '' }),
      labels: textList({ describe: 'Only these labels.', default: [], shows: 'all' }),
      annotations_file: text({ describe: 'The same with metadata.annotations: k8s.pod.annotation.<key>.', default: '' }),
      annotations: textList({ describe: 'Only these annotations.', default: [], shows: 'all' }),
    },
    { describe: 'The detector kubernetes_downward: what the downward API tells a pod about itself.', ours: true },
  ),
};

type Config = Output<typeof shape>;

/** Processor `resource_detection`. The rules are those of resourcedetectionprocessor 0.160 upstream, for its detectors env and system. */
export const resourceDetectionProcessor = component<Config, ResourceDetectionSettings>({
  type: 'resource_detection',
  aliases: ['resourcedetection'],
  signals: SIGNALS,
  describe: 'Sets resource attributes that say where the agent runs, found at start.',
  dataPath: {
    bytes: 'edits in place: what was detected at start is put between the attributes of resources, items are neither looked at nor copied',
  },
  config: section(shape, {
    describe: 'Sets resource attributes that say where the agent runs.',
    check: ({ retry, timeout }, report) => {
      if (!retry.enabled) return;
      if (timeout === 0 && retry.max_elapsed_time === 0) report('timeout', 'must be greater than 0, or retry.max_elapsed_time must');
      const wrong = (key: string, message: string): void => report('retry', `${key} ${message}`);
      if (retry.initial_interval < 0) wrong('initial_interval', 'must not be negative');
      if (retry.randomization_factor < 0 || retry.randomization_factor > 1) wrong('randomization_factor', 'must be within 0 and 1');
      if (retry.multiplier < 0) wrong('multiplier', 'must not be negative');
      if (retry.max_interval < 0) wrong('max_interval', 'must not be negative');
      if (retry.max_elapsed_time < 0) wrong('max_elapsed_time', 'must not be negative');
      if (retry.max_elapsed_time > 0 && retry.max_elapsed_time < Math.max(retry.initial_interval, retry.max_interval))
        wrong('max_elapsed_time', 'must not be less than initial_interval and max_interval');
    },
  }),
  build: (config, context) => {
    const detectors = config.detectors.map((name) => name.trim());
    detectors.forEach((name, index) => {
      if (!DETECTORS.includes(name))
        context.report(
          'OTLP_CONFIG_UNSUPPORTED',
          ['detectors', index],
          `there is no detector "${name}" here, only ${DETECTORS.join(', ')}`,
        );
    });
    if (detectors.length === 0) context.report('OTLP_CONFIG_MISSING', ['detectors'], `needs at least one of ${DETECTORS.join(', ')}`);
    if (detectors.includes('kubernetes_downward')) context.notice(['detectors'], 'the detector kubernetes_downward is of this agent alone');
    const { system, kubernetes_downward: downward } = config;
    for (const name of NOT_HERE)
      if (system.resource_attributes[name].enabled)
        context.report(
          'OTLP_CONFIG_UNSUPPORTED',
          ['system', 'resource_attributes', name],
          `this agent does not detect it, only ${SYSTEM_ATTRIBUTES.join(', ')}`,
        );
    const sources = system.hostname_sources.filter((source): source is HostnameSource => {
      const known = (HOSTNAME_SOURCES as readonly string[]).includes(source);
      if (!known)
        context.report('OTLP_CONFIG_VALUE', ['system', 'hostname_sources'], `"${source}" is none of ${HOSTNAME_SOURCES.join(', ')}`);
      return known;
    });
    return {
      kind: 'resource_detection',
      id: context.id,
      detectors,
      override: config.override,
      timeoutMs: config.timeout <= 0 ? Number.POSITIVE_INFINITY : config.timeout,
      refreshIntervalMs: timerMs(config.refresh_interval),
      failOnMissingMetadata: config.fail_on_missing_metadata,
      retry: retrySettings(config.retry),
      system: {
        hostnameSources: sources.length === 0 ? ['dns', 'os'] : sources,
        attributes: new Set(SYSTEM_ATTRIBUTES.filter((name) => system.resource_attributes[name].enabled)),
      },
      downward: {
        variables: new Map([
          ['k8s.pod.name', downward.pod_name],
          ['k8s.namespace.name', downward.namespace],
          ['k8s.pod.uid', downward.pod_uid],
          ['k8s.pod.ip', downward.pod_ip],
          ['k8s.node.name', downward.node_name],
        ]),
        labelsFile: downward.labels_file,
        annotationsFile: downward.annotations_file,
        labels: new Set(downward.labels),
        annotations: new Set(downward.annotations),
      },
    };
  },
});

function retrySettings(retry: Config['retry']): RetrySettings {
  return {
    enabled: retry.enabled,
    initialIntervalMs: timerMs(retry.initial_interval),
    randomizationFactor: retry.randomization_factor,
    multiplier: retry.multiplier,
    maxIntervalMs: timerMs(retry.max_interval),
    maxElapsedMs: retry.max_elapsed_time,
  };
}

import { PROFILES_WITHOUT_SAMPLES } from './exceptions.ts';
import { describeAgainstCollector } from './harness.ts';

// Both read the environment of their process, and the agent runs in this one.
const ENVIRONMENT = {
  OTEL_RESOURCE_ATTRIBUTES: ' service.name=from-env , a = b%20c+d,k8s.pod.name=x%C3%A4, empty=,user.id=7 ',
};
Object.assign(process.env, ENVIRONMENT);

const ALL = ['traces', 'metrics', 'logs', 'profiles'] as const;
const detection = (config: object): Record<string, unknown> => ({ resource_detection: { timeout: '2s', ...config } });

const everything = Object.fromEntries(
  [
    ...['host.arch', 'host.id', 'host.interface', 'host.ip', 'host.mac', 'host.name', 'os.description', 'os.type'],
    ...['cache.l2.size', 'family', 'model.id', 'model.name', 'stepping', 'vendor.id'].map((name) => `host.cpu.${name}`),
  ].map((name) => [name, { enabled: true }]),
);

describeAgainstCollector(
  'the resource_detection processor',
  [
    { name: 'env, override', processors: detection({ detectors: ['env'] }), signals: ALL },
    { name: 'env, without override', processors: detection({ detectors: ['env'], override: false }), signals: ALL },
    {
      name: 'system by the name of the kernel',
      processors: detection({
        detectors: ['system', 'env'],
        system: {
          hostname_sources: ['os'],
          resource_attributes: everything,
        },
      }),
      vocabulary: { keys: ['host.name', 'os.type', 'host.arch'] },
      signals: ALL,
    },
    {
      name: 'system by /etc/hosts and without its defaults',
      processors: detection({
        detectors: [' system '],
        override: false,
        system: { resource_attributes: { 'os.type': { enabled: false } } },
      }),
      vocabulary: { keys: ['host.name', 'os.type'] },
    },
  ],
  { program: 'otelcol-0.160', env: ENVIRONMENT, exceptions: [PROFILES_WITHOUT_SAMPLES] },
);

import { listenAddress } from '../config/address.ts';
import { component } from '../config/component.ts';
import { bool, integer, text, unsupported } from '../config/fields.ts';
import type { Output } from '../config/section.ts';
import { optionalSection, section } from '../config/section.ts';
import type { HealthCheckSettings } from '../config/settings.ts';
import { httpServerFields } from '../receive/server-fields.ts';

const V2 = 'the keys of healthcheckv2 are not supported; remove it';

const shape = {
  ...httpServerFields('localhost:13133', 'probes have no bodies and tiny answers'),
  path: text({ describe: 'Path that answers as the Collector does; /livez and /readyz are there too.', default: '/' }),
  response_body: optionalSection(
    { healthy: text({ describe: 'When healthy.', default: '' }), unhealthy: text({ describe: 'When not.', default: '' }) },
    { describe: 'Bodies of the answers.', absent: 'off', empty: 'off', inert: 'the answer is the state as JSON' },
  ),
  check_collector_pipeline: section(
    {
      enabled: bool({ describe: 'Counts failures of exporters.', default: false }),
      interval: text({ describe: 'Over this time.', default: '5m' }),
      exporter_failure_threshold: integer({ describe: 'Failures that make it unhealthy.', default: 5 }),
    },
    { describe: 'Ignored upstream as well.', inert: 'ignored, as in the Collector' },
  ),
  use_v2: bool({ describe: 'Must be false.', default: false }),
  grpc: unsupported('healthcheckv2.', V2),
  http: unsupported('healthcheckv2.', V2),
  component_health: unsupported('healthcheckv2.', V2),
};

/** Extension `health_check`. */
export const healthCheck = component<Output<typeof shape>, HealthCheckSettings>({
  type: 'health_check',
  signals: [],
  describe: 'Answers liveness and readiness probes over HTTP.',
  config: section(shape, {
    describe: 'Answers liveness and readiness probes over HTTP.',
    check: (config, report) => {
      if (config.use_v2) report('use_v2', 'must not be true: healthcheckv2 is not supported');
      if (config.endpoint === '') report('endpoint', 'is missing; write host:port', 'OTLP_CONFIG_MISSING');
      if (!config.path.startsWith('/')) report('path', `"${config.path}" must begin with /`);
    },
  }),
  build: (config, context) => {
    const address = listenAddress(config.endpoint, config.transport);
    if (typeof address !== 'string') return { kind: 'health_check', id: context.id, address, path: config.path };
    context.report('OTLP_CONFIG_VALUE', ['endpoint'], address);
    return undefined;
  },
});

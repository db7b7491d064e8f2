import { setTimeout as sleep } from 'node:timers/promises';
import { configuration, scrape, type Target } from '../../agent/statements/support/target.ts';
import { freePorts, startOtelcol } from '../support/index.ts';

/** The release whose results are recorded. */
export const COLLECTOR_VERSION = '0.155.0';

/** It says that everything is ready before it listens to signals (otelcol/collector.go, Run): one that comes in between just kills it. */
const SIGNALS_AFTER_MS = 1000;

/** The real Collector with the same configuration; profiles are behind a gate there. */
export const COLLECTOR: Target = {
  name: 'collector',
  async start(setup) {
    const ports = await freePorts('grpc', 'http', 'metrics');
    const args = setup.signals?.includes('profiles') === true ? ['--feature-gates=service.profilesSupport'] : [];
    const program = await startOtelcol({ config: configuration(setup, ports), args, name: 'otelcol-statement' });
    const readyAt = performance.now();
    return {
      grpcPort: ports.grpc,
      httpPort: ports.http,
      metric: (name) => scrape(ports.metrics, name),
      log: () => program.log(),
      terminate: async () => {
        await sleep(Math.max(0, readyAt + SIGNALS_AFTER_MS - performance.now()));
        await program.stop();
      },
      // Not by SIGTERM: with a next hop that never answers its shutdown takes as long as the exporter's timeout.
      [Symbol.asyncDispose]: async () => {
        program.signal('SIGKILL');
        await program.exited;
      },
    };
  },
};

import type { ExtensionSettings, SocketAddress } from '../config/settings.ts';
import { Registration } from '../register/registration.ts';
import type { Log } from '../telemetry/log.ts';
import { type Health, healthServer } from '../telemetry/servers.ts';

/** What `service.extensions` lists: beside the line of data, with the life of the agent. */
export interface Extension {
  readonly id: string;
  /** Where it listens, if it does. */
  readonly address: SocketAddress | undefined;
  /** For its metrics, if it registers the agent somewhere. */
  readonly registration?: Registration;
  /** Before the receivers: binds, registers. Rejects with the configuration key where an address cannot be had. */
  start(): Promise<void>;
  /** First of all at a drain: says elsewhere that no traffic is wanted any more. Never rejects. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export function createExtension(settings: ExtensionSettings, health: Health, log: Log): Extension {
  switch (settings.kind) {
    case 'health_check': {
      const server = healthServer(settings, health, new Date());
      return {
        id: settings.id,
        get address() {
          return server.address;
        },
        start: () => server.start(),
        drain: async () => {},
        close: () => server.close(),
      };
    }
    case 'registration': {
      const registration = new Registration(settings, log);
      return {
        id: settings.id,
        address: undefined,
        registration,
        // Not waited for: a registry that is away does not keep the receivers closed. It offers the agent as soon as that is ready.
        start: async () => {
          void registration.start(() => health.ready());
        },
        drain: () => registration.drain(),
        close: () => registration.close(),
      };
    }
  }
}

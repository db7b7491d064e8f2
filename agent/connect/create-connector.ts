import type { ConnectorSettings } from '../config/settings.ts';
import type { Log } from '../telemetry/log.ts';
import type { Connector } from './connector.ts';
import { CountConnector } from './count.ts';
import { ForwardConnector } from './forward.ts';

export function createConnector(settings: ConnectorSettings, log: Log): Connector {
  switch (settings.kind) {
    case 'count':
      return new CountConnector(settings, log);
    case 'forward':
      return new ForwardConnector();
  }
}

import type { ConnectorSettings } from '../config/settings.ts';
import type { Log } from '../telemetry/log.ts';
import type { Connector } from './connector.ts';
import { ForwardConnector } from './forward.ts';

export function createConnector(settings: ConnectorSettings, _log: Log): Connector {
  switch (settings.kind) {
    case 'forward':
      return new ForwardConnector();
  }
}

import type { Signal } from '../config/settings.ts';
import type { Body } from '../process/process.ts';
import type { Connector, Produced } from './connector.ts';

/** Connector `forward`: the same data, its bytes shared, in further pipelines of the same signal. */
export class ForwardConnector implements Connector {
  readonly derives = false;

  consume(signal: Signal, body: Body): readonly Produced[] {
    return [{ signal, body, derived: false }];
  }
}

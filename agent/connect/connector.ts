import type { Signal } from '../config/settings.ts';
import type { Body } from '../process/process.ts';

/**
 * connect: the end of one pipeline and the start of others.
 * In:       what a pipeline made of a request. Out: bodies for the pipelines that name the connector as a receiver.
 * May drop: nothing of the sender's data: it goes on (forward) or ends here as intended (count).
 * Counters: otlp_agent_connector_{consumed,produced,lost}_items.
 */
export interface Connector {
  /** True: all that it produces is new data (count). Known before there is any, as admission looks only at queues that a sender waits for. */
  readonly derives: boolean;
  /** Never throws; a string is the reason why the body cannot be read: the request is refused as malformed. */
  consume(signal: Signal, body: Body): readonly Produced[] | string;
  /** Where it holds timers. */
  close?(): void;
}

export interface Produced {
  readonly signal: Signal;
  readonly body: Body;
  /** True: new data that nobody waits for (count). False: the sender's own data going on (forward), part of its receipt. */
  readonly derived: boolean;
}

import type { BackoffSettings } from '../runtime/backoff.ts';
import type { Log } from '../telemetry/log.ts';
import { AskLoop } from './ask-loop.ts';
import type { Resolver, ResolverCounts, ResolverStatus, Upstream } from './resolver.ts';
import { ResolverState } from './resolver-state.ts';

/** A resolver that has a server to ask: what it knows, the loop that asks, and the life of both. */
export abstract class AskingResolver implements Resolver {
  readonly kind: Resolver['kind'];
  protected readonly state: ResolverState;
  readonly #loop: AskLoop;

  /** `where` names what is asked for, in messages; `backoff` is between failed tries, where it is not the usual one. */
  constructor(kind: Resolver['kind'], where: string, log: Log, backoff?: BackoffSettings) {
    this.kind = kind;
    this.state = new ResolverState(kind, where, log);
    this.#loop = new AskLoop({
      round: (signal, answered) => this.round(signal, answered),
      failed: (message) => this.state.failed(message),
      ...(backoff === undefined ? {} : { backoff }),
    });
  }

  get status(): ResolverStatus {
    return this.state.status;
  }

  get counts(): ResolverCounts {
    return this.state.counts;
  }

  start(onChange: (upstreams: readonly Upstream[]) => void): Promise<void> {
    this.state.open(onChange);
    return this.#loop.start();
  }

  async close(): Promise<void> {
    this.state.close();
    await this.#loop.close();
    await this.disconnect();
  }

  /** One round of the loop (AskLoopOptions). */
  protected abstract round(signal: AbortSignal, answered: () => void): Promise<void>;

  /** Ends the connections, after the last round; nothing to do where there are none. */
  protected async disconnect(): Promise<void> {}
}

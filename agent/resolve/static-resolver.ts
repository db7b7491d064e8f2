import type { Log } from '../telemetry/log.ts';
import { describe } from './ask-loop.ts';
import type { Resolver, ResolverCounts, ResolverStatus, Upstream } from './resolver.ts';
import { ResolverState } from './resolver-state.ts';
import type { StaticResolverSettings } from './settings.ts';

/** A fixed list: one answer, at start. */
export class StaticResolver implements Resolver {
  readonly kind = 'static';
  readonly #upstreams: readonly Upstream[];
  readonly #state: ResolverState;

  constructor(settings: StaticResolverSettings, log: Log) {
    this.#upstreams = settings.upstreams;
    this.#state = new ResolverState('static', 'the static list', log);
  }

  get status(): ResolverStatus {
    return this.#state.status;
  }

  get counts(): ResolverCounts {
    return this.#state.counts;
  }

  start(onChange: (upstreams: readonly Upstream[]) => void): Promise<void> {
    this.#state.open(onChange);
    try {
      this.#state.resolved(this.#upstreams);
    } catch (error) {
      this.#state.failed(describe(error));
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#state.close();
    return Promise.resolve();
  }
}

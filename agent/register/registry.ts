import type { Upstream } from '../resolve/resolver.ts';

/** Who is registered, for as long as it gives a sign of life. */
export interface Entry {
  readonly upstream: Upstream;
  readonly instance: string;
  readonly ttlMs: number;
}

/** What a registry has to do for an agent. Each call is one try; a throw is a failed one, and the next beat tries again. */
export interface Registry {
  /** Of the logs: `Consul at http://...`. */
  readonly where: string;
  /**
   * A sign of life: registers where that has not been done or was forgotten, and says whether the agent wants traffic. One that does
   * not is not found by resolvers. `registered` says that it was done (again).
   */
  beat(ready: boolean, signal: AbortSignal): Promise<'kept' | 'registered' | 'withdrawn'>;
  /** Takes the agent out; nothing to do where it is not in. */
  withdraw(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

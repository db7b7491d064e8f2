import { createResolver } from '../resolve/create-resolver.ts';
import type { Resolver, ResolverCounts, ResolverStatus, Upstream } from '../resolve/resolver.ts';
import type { ResolverSettings } from '../resolve/settings.ts';
import { fingerprint } from '../runtime/fingerprint.ts';
import type { Log } from '../telemetry/log.ts';

type OnChange = (upstreams: readonly Upstream[]) => void;

/** One resolver and all who listen to it. */
class Shared {
  readonly resolver: Resolver;
  readonly #listeners = new Set<OnChange>();
  #started: Promise<void> | undefined;
  #last: readonly Upstream[] | undefined;
  #handles = 0;

  constructor(resolver: Resolver) {
    this.resolver = resolver;
  }

  open(): void {
    this.#handles += 1;
  }

  listen(onChange: OnChange): Promise<void> {
    this.#listeners.add(onChange);
    if (this.#last !== undefined) onChange(this.#last);
    this.#started ??= this.resolver.start((upstreams) => {
      this.#last = upstreams;
      for (const listener of this.#listeners) listener(upstreams);
    });
    return this.#started;
  }

  /** True where nobody is left. */
  leave(onChange: OnChange | undefined): boolean {
    if (onChange !== undefined) this.#listeners.delete(onChange);
    this.#handles -= 1;
    return this.#handles === 0;
  }
}

/** By what belongs to one agent, its log, and within it by settings. */
const ALL = new WeakMap<Log, Map<string, Shared>>();

/**
 * A resolver that all signals of an exporter share, and exporters with the same settings: one watch, one lookup, one line in the log. Ends
 * when its last handle is closed.
 */
export function sharedResolver(settings: ResolverSettings, log: Log, create: typeof createResolver = createResolver): Resolver {
  const ofAgent = ALL.get(log) ?? new Map<string, Shared>();
  ALL.set(log, ofAgent);
  const key = fingerprint(settings);
  const shared = ofAgent.get(key) ?? new Shared(create(settings, log));
  ofAgent.set(key, shared);
  shared.open();
  return new Handle(shared, () => {
    if (ofAgent.get(key) === shared) ofAgent.delete(key);
  });
}

class Handle implements Resolver {
  readonly kind: Resolver['kind'];
  readonly #shared: Shared;
  readonly #forget: () => void;
  #onChange: OnChange | undefined;
  #closed = false;

  constructor(shared: Shared, forget: () => void) {
    this.kind = shared.resolver.kind;
    this.#shared = shared;
    this.#forget = forget;
  }

  get status(): ResolverStatus {
    return this.#shared.resolver.status;
  }

  get counts(): ResolverCounts {
    return this.#shared.resolver.counts;
  }

  start(onChange: OnChange): Promise<void> {
    this.#onChange = onChange;
    return this.#shared.listen(onChange);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#shared.leave(this.#onChange)) return;
    this.#forget();
    await this.#shared.resolver.close();
  }
}

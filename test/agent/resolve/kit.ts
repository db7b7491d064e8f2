import type { Resolver, Upstream } from '../../../agent/resolve/resolver.ts';
import { upstreamKey } from '../../../agent/resolve/resolver.ts';
import type { Log } from '../../../agent/telemetry/log.ts';

/** A log that keeps its lines, as `level event {fields}`. */
export function keptLog(): Log & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (event: string, fields?: object): void =>
      void lines.push(`${level} ${event} ${JSON.stringify(fields ?? {})}`);
  return { lines, info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug') };
}

/** Whoever listens to a resolver: the lists that it was told, and what it waits for. */
export class Listener {
  readonly lists: (readonly Upstream[])[] = [];
  readonly #waiting = new Set<() => void>();

  readonly onChange = (upstreams: readonly Upstream[]): void => {
    this.lists.push(upstreams);
    for (const look of [...this.#waiting]) look();
  };

  /** The last list, as `host:port` each. */
  get keys(): readonly string[] {
    return (this.lists.at(-1) ?? []).map(upstreamKey);
  }

  get last(): readonly Upstream[] {
    return this.lists.at(-1) ?? [];
  }

  /** Resolves as soon as a list fits, the last one included. The test's own timeout is the limit. */
  until(fits: (keys: readonly string[]) => boolean): Promise<readonly string[]> {
    const { promise, resolve } = Promise.withResolvers<readonly string[]>();
    const look = (): void => {
      if (this.lists.length === 0 || !fits(this.keys)) return;
      this.#waiting.delete(look);
      resolve(this.keys);
    };
    this.#waiting.add(look);
    look();
    return promise;
  }

  untilKeys(...keys: readonly string[]): Promise<readonly string[]> {
    const wanted = JSON.stringify(keys);
    return this.until((now) => JSON.stringify(now) === wanted);
  }
}

/** Resolves when the status is (or is no longer) ok. The resolver has no event for it, as nobody but health asks. */
export async function untilStatus(resolver: Pick<Resolver, 'status'>, ok: boolean, timeoutMs = 120_000): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  while (resolver.status.ok !== ok) {
    if (performance.now() > deadline) throw new Error(`the status stays ${resolver.status.ok}: ${resolver.status.message}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return resolver.status.message;
}

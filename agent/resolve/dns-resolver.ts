import { lookup, Resolver as NameServers } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import type { Log } from '../telemetry/log.ts';
import { CLOSED, pause } from './ask-loop.ts';
import { AskingResolver } from './asking-resolver.ts';
import type { Upstream } from './resolver.ts';
import { DEFAULT_PORT, type DnsResolverSettings } from './settings.ts';

/**
 * Answers that there is no such name, or no such record of it. CoreDNS gives them for a headless Service whose pods are all being
 * replaced, and for every name until it has read its own data, so they are failures: the last list stays, as in the Collector.
 */
const NO_SUCH_RECORD: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND']);

type Family = 4 | 6;

/** Tries of one lookup within its timeout: a lost packet is not an outage. */
const TRIES = 3;

/**
 * The addresses of a name, or its SRV records, looked up every `interval`.
 *
 * Addresses are asked of the machine (getaddrinfo: /etc/hosts, search domains), as the Collector does; SRV records, and everything where
 * `servers` is written, of name servers directly. SRV targets are kept as names, which are looked up when they are dialled; weight 0
 * ("rarely", RFC 2782) is 1 here.
 */
export class DnsResolver extends AskingResolver {
  readonly #settings: DnsResolverSettings;
  /** Found by family: where one family cannot be asked for the moment, its last addresses are still those. */
  readonly #last = new Map<Family, readonly string[]>();
  /** getaddrinfo cannot be called off: at most one is under way, as each holds a thread. */
  #machine: Promise<readonly string[]> | undefined;

  constructor(settings: DnsResolverSettings, log: Log) {
    // A failed lookup is tried again with the next interval; sooner would press on a name server that has enough to do.
    super('dns', `${settings.type === 'srv' ? 'SRV records' : 'addresses'} of ${settings.hostname}`, log, {
      initialIntervalMs: settings.intervalMs,
      multiplier: 1,
      maxIntervalMs: settings.intervalMs,
      randomizationFactor: 0.1,
    });
    this.#settings = settings;
  }

  protected override async round(signal: AbortSignal, answered: () => void): Promise<void> {
    const { type, servers } = this.#settings;
    this.state.resolved(type === 'srv' || servers.length > 0 ? await this.#askServers(signal) : await this.#askMachine(signal));
    answered();
    await pause(this.#settings.intervalMs, signal);
  }

  async #askMachine(signal: AbortSignal): Promise<Upstream[]> {
    this.#machine ??= lookup(this.#settings.hostname, { all: true, order: 'verbatim' })
      .then((found) => found.map(({ address }) => address))
      .finally(() => {
        this.#machine = undefined;
      });
    return (await inTime(this.#machine, this.#settings.timeoutMs, signal)).map((address) => this.#upstream(address));
  }

  async #askServers(signal: AbortSignal): Promise<Upstream[]> {
    const { hostname, type, timeoutMs, servers } = this.#settings;
    const resolver = new NameServers({ timeout: Math.max(Math.floor(timeoutMs / TRIES), 50), tries: TRIES });
    if (servers.length > 0) resolver.setServers(servers);
    try {
      if (type === 'srv') return srvUpstreams(await inTime(resolver.resolveSrv(hostname), timeoutMs, signal));
      const both = Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
      const [v4, v6] = await inTime(both, timeoutMs, signal);
      return [...this.#family(4, v4), ...this.#family(6, v6), ...noneAtAll(v4, v6)].map((address) => this.#upstream(address));
    } finally {
      resolver.cancel();
    }
  }

  /** What one family adds: its answer, nothing where it has no records beside the other's, its last answer where it could not be asked. */
  #family(family: Family, result: PromiseSettledResult<string[]>): readonly string[] {
    if (result.status === 'rejected' && !NO_SUCH_RECORD.has(codeOf(result.reason))) return this.#last.get(family) ?? [];
    const found = result.status === 'fulfilled' ? result.value : [];
    this.#last.set(family, found);
    return found;
  }

  #upstream(address: string): Upstream {
    const { port } = this.#settings;
    if (port !== undefined) return { host: address, port, weight: 1 };
    return { host: address, port: DEFAULT_PORT, weight: 1, ringName: isIPv6(address) ? `[${address}]` : address };
  }
}

/** Throws where neither family answered with anything: that is a failed lookup. */
function noneAtAll(v4: PromiseSettledResult<string[]>, v6: PromiseSettledResult<string[]>): readonly string[] {
  if (v4.status === 'fulfilled' || v6.status === 'fulfilled') return [];
  throw NO_SUCH_RECORD.has(codeOf(v4.reason)) ? v6.reason : v4.reason;
}

/** RFC 2782: clients try the lowest priority first; a target of "." says that the service is not to be had here. */
function srvUpstreams(records: readonly { name: string; port: number; priority: number; weight: number }[]): Upstream[] {
  const lowest = Math.min(...records.map(({ priority }) => priority));
  return records
    .filter(({ priority, name, port }) => priority === lowest && name !== '' && name !== '.' && port > 0)
    .map(({ name, port, weight }) => ({ host: name, port, weight: Math.max(weight, 1) }));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The promise, or a failure when its time is over or nobody wants it any more. */
async function inTime<T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new Error(CLOSED));
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  timer.unref();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

import type { Log } from '../telemetry/log.ts';
import { ProtocolError } from './http-client.ts';
import type { Resolver, ResolverCounts, ResolverStatus, Upstream } from './resolver.ts';
import { upstreamKey } from './resolver.ts';

/** More is a mistake or an attack: each upstream costs connections and places on a ring. */
export const MAX_UPSTREAMS = 10_000;

/** How much of a server's words goes into a status or a log line. */
const MAX_MESSAGE = 300;

/**
 * The list of one resolver: what is the same for all kinds. A new answer replaces the list and is passed on where it differs; a failure
 * leaves it alone and is said once, not once a try.
 */
export class ResolverState {
  readonly #kind: Resolver['kind'];
  readonly #log: Log;
  readonly #where: string;
  #onChange: ((upstreams: readonly Upstream[]) => void) | undefined;
  #list: readonly Upstream[] | undefined;
  #ok = false;
  /** The last try failed. */
  #down = false;
  #remark: string | undefined;
  #message = 'has not asked yet';
  #resolutions = 0;
  #failures = 0;
  #changes = 0;

  /** `where` names the resolver in messages: `service "otlp" in Consul at http://...`. */
  constructor(kind: Resolver['kind'], where: string, log: Log) {
    this.#kind = kind;
    this.#where = where;
    this.#log = log;
  }

  get status(): ResolverStatus {
    return { ok: this.#ok, message: this.#message };
  }

  get counts(): ResolverCounts {
    return { resolutions: this.#resolutions, failures: this.#failures, changes: this.#changes, upstreams: this.#list?.length ?? 0 };
  }

  get list(): readonly Upstream[] | undefined {
    return this.#list;
  }

  open(onChange: (upstreams: readonly Upstream[]) => void): void {
    this.#onChange = onChange;
  }

  /** From here on nothing is called any more. */
  close(): void {
    this.#onChange = undefined;
    this.#ok = false;
    this.#message = 'closed';
  }

  /**
   * An answer: `remark` is said beside the number, for what could not be read of it.
   *
   * @throws ProtocolError where it has too many upstreams; that is a failed try
   */
  resolved(found: Iterable<Upstream>, remark?: string): void {
    if (this.#onChange === undefined) return;
    const list = sortedWithoutDoubles(found);
    if (list.length > MAX_UPSTREAMS) throw new ProtocolError(`the answer has ${list.length} upstreams, more than ${MAX_UPSTREAMS}`);
    this.#resolutions += 1;
    if (this.#down) this.#log.info('resolver works again', { resolver: this.#kind, of: this.#where });
    this.#down = false;
    this.#ok = remark === undefined;
    if (remark !== undefined && remark !== this.#remark) this.#warn(remark);
    this.#remark = remark;
    this.#message = `${list.length} upstreams of ${this.#where}${remark === undefined ? '' : `; ${oneLine(remark)}`}`;
    if (this.#list !== undefined && isSame(this.#list, list)) return;
    this.#list = list;
    this.#changes += 1;
    this.#log.info('upstreams changed', { resolver: this.#kind, of: this.#where, upstreams: list.length });
    this.#onChange(list);
  }

  /** No answer, or none that makes sense: the list stays as it is. */
  failed(message: string): void {
    if (this.#onChange === undefined) return;
    this.#failures += 1;
    const kept = this.#list === undefined ? 'there is no list yet' : `the last ${this.#list.length} upstreams are kept`;
    const whole = `${this.#where}: ${oneLine(message)}; ${kept}`;
    if (!this.#down || this.#message !== whole) this.#warn(message);
    this.#down = true;
    this.#ok = false;
    this.#message = whole;
  }

  #warn(message: string): void {
    this.#log.warn('resolver failed', {
      resolver: this.#kind,
      of: this.#where,
      error: oneLine(message),
      upstreams: this.#list?.length ?? 0,
    });
  }
}

/** Of two entries with one identity the first in the sort wins, so that the order of an answer never matters. */
function sortedWithoutDoubles(found: Iterable<Upstream>): Upstream[] {
  const byKey = new Map<string, Upstream>();
  for (const upstream of found) {
    const key = upstreamKey(upstream);
    const other = byKey.get(key);
    if (other === undefined || upstream.weight > other.weight) byKey.set(key, upstream);
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, upstream]) => upstream);
}

function isSame(before: readonly Upstream[], after: readonly Upstream[]): boolean {
  return (
    before.length === after.length &&
    before.every((one, index) => {
      const other = after[index];
      return (
        other !== undefined &&
        one.host === other.host &&
        one.port === other.port &&
        one.weight === other.weight &&
        one.ringName === other.ringName
      );
    })
  );
}

/** One line of bounded length, whatever a server said. */
export function oneLine(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not reach a terminal
  const line = message.slice(0, MAX_MESSAGE * 2).replaceAll(/[\u0000-\u001f\u007f-\u009f]+/gu, ' ');
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE - 3)}...` : line;
}

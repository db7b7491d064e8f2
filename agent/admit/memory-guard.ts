import type { AgentSettings, MemoryLimiterSettings } from '../config/settings.ts';
import { collectGarbage } from '../runtime/heap.ts';
import type { MemoryCounters } from '../telemetry/counters.ts';
import type { Log } from '../telemetry/log.ts';
import type { Budget } from './budget.ts';
import { dropSpareStores } from './slab.ts';

/** A forced collection stops everything for some 20 to 100 ms: never more often than this, whatever the intervals say. */
const LEAST_INTERVAL_MS = 1000;
/** Looks, and collections after growth, come at least so often: a storm fills tens of MiB in a second. A look costs some 10 microseconds. */
const LOOK_MS = 250;
/** Growth since the last collection, as a share of what lies between soft and hard, that is a reason for the next one. */
const GROWTH_SHARE = 0.5;

/**
 * Looks at the memory of the process itself, as memory_limiter does upstream. The budgets count every byte of requests exactly; what V8
 * keeps beside them, garbage of broken connections above all, is seen here: V8 collects by the size of the machine, not by our limit
 * (measured: six storms of 9000 connections each that are opened and left, nothing held: 135 -> 406 MiB, of which 40 MiB were alive).
 *
 *   rss ........ soft ............ limit ..........
 *       nothing |  collect        |  collect; where that does not help, new requests get a quarter of the room
 *                  (each 10 s, or    (each second)
 *                   after growth)
 */
export class MemoryGuard {
  readonly #budgets: () => readonly Budget[];
  readonly #counters: MemoryCounters;
  readonly #log: Log;
  readonly #collect: () => void;
  #limits: Limits | undefined;
  #timer: NodeJS.Timeout | undefined;
  #collectedAt = Number.NEGATIVE_INFINITY;
  #bytesThen = 0;
  #pressed = false;

  constructor(budgets: () => readonly Budget[], counters: MemoryCounters, log: Log, collect: () => void = collectGarbage) {
    this.#budgets = budgets;
    this.#counters = counters;
    this.#log = log;
    this.#collect = collect;
  }

  /** Starts, or goes on with the limits of other settings; without any limit there is nothing to guard. */
  apply(settings: AgentSettings): void {
    this.close();
    this.#limits = tightest(settings);
    if (this.#limits === undefined) this.#press(false);
    else this.#timer = setInterval(() => this.check(), Math.min(LOOK_MS, this.#limits.checkIntervalMs)).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** One look. */
  check(rss: () => number = process.memoryUsage.rss, collect: () => void = this.#collect): void {
    const limits = this.#limits;
    if (limits === undefined) return;
    let bytes = rss();
    if (bytes >= limits.softBytes) {
      const interval = Math.max(bytes >= limits.limitBytes ? limits.hardIntervalMs : limits.softIntervalMs, LEAST_INTERVAL_MS);
      const now = performance.now();
      const since = now - this.#collectedAt;
      const grown = bytes - this.#bytesThen > GROWTH_SHARE * (limits.limitBytes - limits.softBytes);
      if (since >= interval || (grown && since >= LOOK_MS)) {
        this.#counters.collections += 1;
        dropSpareStores();
        collect();
        bytes = rss();
        this.#collectedAt = performance.now();
        this.#bytesThen = bytes;
      }
    }
    this.#press(bytes >= limits.limitBytes, bytes);
  }

  #press(pressed: boolean, bytes = 0): void {
    for (const budget of this.#budgets()) budget.pressed = pressed;
    if (pressed === this.#pressed) return;
    this.#pressed = pressed;
    this.#counters.pressed = pressed;
    const limitMib = Math.round((this.#limits?.limitBytes ?? 0) / 2 ** 20);
    if (pressed)
      this.#log.warn('the process is above its memory limit, new requests get a quarter of the room', {
        rssMib: Math.round(bytes / 2 ** 20),
        limitMib,
      });
    else this.#log.info('the process is below its memory limit again', { limitMib });
  }
}

interface Limits {
  readonly limitBytes: number;
  readonly softBytes: number;
  readonly checkIntervalMs: number;
  readonly softIntervalMs: number;
  readonly hardIntervalMs: number;
}

const DEFAULT_CHECK_INTERVAL_MS = 1000;
const DEFAULT_SOFT_INTERVAL_MS = 10_000;

/** The limit is one of the process: of several the least counts. */
function tightest({ agent, processors }: AgentSettings): Limits | undefined {
  const found: Limits[] = Object.values(processors)
    .filter((one): one is MemoryLimiterSettings => one.kind === 'memory_limiter')
    .map((one) => ({
      limitBytes: one.limitBytes,
      softBytes: one.limitBytes - one.spikeBytes,
      checkIntervalMs: one.checkIntervalMs,
      softIntervalMs: one.minGcIntervalSoftMs,
      hardIntervalMs: one.minGcIntervalHardMs,
    }));
  const { memoryLimitBytes } = agent;
  if (memoryLimitBytes !== undefined)
    found.push({
      limitBytes: memoryLimitBytes,
      softBytes: memoryLimitBytes * 0.8,
      checkIntervalMs: DEFAULT_CHECK_INTERVAL_MS,
      softIntervalMs: DEFAULT_SOFT_INTERVAL_MS,
      hardIntervalMs: 0,
    });
  return found.sort((a, b) => a.limitBytes - b.limitBytes)[0];
}

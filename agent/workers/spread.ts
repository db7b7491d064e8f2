import type { Log } from '../telemetry/log.ts';
import type { MetricDefinition } from '../telemetry/metrics.ts';
import type { Pulse } from './protocol.ts';

/** Between two looks: long enough for senders that batch. */
export const LOOK_MS = 5_000;
/** Few requests land where they land; from so many items on, all of them in one worker say something. */
const TELLING_ITEMS = 1_000;

/** How the traffic of the last look lies: `one connection` and `one worker` leave the other workers without work. */
export type Spread = 'unknown' | 'spread' | 'one connection' | 'one worker';

const REMEDIES = {
  'one connection':
    'all traffic comes over one connection, and a connection stays in one worker: let senders open several, or set agent.workers to 1',
  'one worker': 'all traffic comes to one worker, as the kernel spreads connections and not requests: let senders open more connections',
} as const;

/** Sees whether workers share the work. Said once when it changes; nothing is moved, as a connection cannot be. */
export class SpreadWatch {
  readonly #log: Log;
  #spread: Spread = 'unknown';
  #before: readonly Pulse[] = [];
  #busy: readonly number[] = [];
  /** Workers that got nothing in the last look in which others did. */
  #idle = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  get spread(): Spread {
    return this.#spread;
  }

  /** One look, worker by worker; `busy` from 0 to 1. */
  judge(pulses: readonly Pulse[], busy: readonly number[]): void {
    const items = pulses.map((pulse, i) => pulse.items - (this.#before[i]?.items ?? 0));
    const connections = pulses.reduce((sum, pulse) => sum + pulse.connections, 0);
    this.#before = pulses;
    this.#busy = busy;
    const total = items.reduce((sum, one) => sum + one, 0);
    if (total === 0) return;
    const working = items.filter((one) => one > 0).length;
    this.#idle = pulses.length - working;
    if (working > 1) this.#change('spread', items.indexOf(Math.max(...items)), connections);
    else if (connections === 1) this.#change('one connection', items.indexOf(total), connections);
    else if (total >= TELLING_ITEMS) this.#change('one worker', items.indexOf(total), connections);
  }

  metrics(pulses: readonly Pulse[]): MetricDefinition[] {
    const each = (name: string, type: 'counter' | 'gauge', help: string, value: (pulse: Pulse, i: number) => number): MetricDefinition => ({
      name,
      type,
      help,
      labels: ['worker'],
      upstream: false,
      samples: () => pulses.map((pulse, i) => ({ labels: { worker: String(i) }, value: value(pulse, i) })),
    });
    const one = (name: string, help: string, value: () => number): MetricDefinition => ({
      name,
      type: 'gauge',
      help,
      labels: [],
      upstream: false,
      samples: () => [{ labels: {}, value: value() }],
    });
    return [
      one('otlp_agent_workers', 'Number of workers (agent.workers), where there are several.', () => pulses.length),
      one(
        'otlp_agent_workers_idle',
        'Workers that received nothing in five seconds in which others did: all but one with a single connection.',
        () => this.#idle,
      ),
      one('otlp_agent_workers_single_connection', '1 while all traffic comes over one connection: workers do not help.', () =>
        this.#spread === 'one connection' ? 1 : 0,
      ),
      each('otlp_agent_worker_connections', 'gauge', 'Open connections of receivers by worker.', ({ connections }) => connections),
      each('otlp_agent_worker_items', 'counter', 'Items received by worker.', ({ items }) => items),
      each(
        'otlp_agent_worker_busy_ratio',
        'gauge',
        'Share of the last five seconds for which the thread of a worker was busy.',
        (_, i) => this.#busy[i] ?? 0,
      ),
    ];
  }

  #change(spread: Spread, worker: number, connections: number): void {
    if (spread === this.#spread) return;
    const before = this.#spread;
    this.#spread = spread;
    if (spread === 'one connection' || spread === 'one worker')
      this.#log.warn('workers without work', { worker, connections, remedy: REMEDIES[spread] });
    else if (before !== 'unknown') this.#log.info('workers share the work again', { connections });
  }
}

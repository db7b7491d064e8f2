import { describe, expect, it } from 'vitest';
import { printMetrics } from '../../../agent/telemetry/metrics.ts';
import { SpreadWatch } from '../../../agent/workers/spread.ts';
import { type LogLine, recordingLog } from '../kit/agent.ts';

function watch() {
  const lines: LogLine[] = [];
  const spread = new SpreadWatch(recordingLog(lines));
  const look = (...workers: readonly (readonly [connections: number, items: number])[]): void =>
    spread.judge(
      workers.map(([connections, items]) => ({ connections, items })),
      workers.map(() => 0.5),
    );
  return { lines, spread, look };
}

describe('how traffic is spread over workers', () => {
  it('says once that all of it comes over one connection, and when that has ended', () => {
    const { lines, look } = watch();
    look([1, 100], [0, 0]);
    look([1, 200], [0, 0]);
    expect(lines).toEqual([
      {
        level: 'warn',
        event: 'workers without work',
        fields: {
          worker: 0,
          connections: 1,
          remedy:
            'all traffic comes over one connection, and a connection stays in one worker: let senders open several, or set agent.workers to 1',
        },
      },
    ]);
    look([1, 300], [1, 100]);
    expect(lines.at(-1)).toMatchObject({ level: 'info', event: 'workers share the work again' });
  });

  it('says that one worker has all connections, where that is much', () => {
    const { lines, spread, look } = watch();
    look([0, 0], [3, 500]);
    expect(lines).toEqual([]);
    look([0, 0], [3, 5000]);
    expect(lines).toMatchObject([{ level: 'warn', fields: { worker: 1, connections: 3 } }]);
    expect(spread.spread).toBe('one worker');
  });

  it('says nothing of silence, and nothing where all have work', () => {
    const { lines, spread, look } = watch();
    look([1, 0], [0, 0]);
    expect(spread.spread).toBe('unknown');
    look([5, 5000], [4, 3000]);
    look([5, 5000], [4, 3000]);
    expect(lines).toEqual([]);
    expect(spread.spread).toBe('spread');
  });

  it('shows the same as metrics', async () => {
    const { spread, look } = watch();
    look([1, 100], [0, 0], [0, 0]);
    const pulses = [1, 0, 0].map((connections) => ({ connections, items: 100 * connections }));
    const text = await printMetrics(spread.metrics(pulses));
    for (const line of [
      'otlp_agent_workers 3',
      'otlp_agent_workers_idle 2',
      'otlp_agent_workers_single_connection 1',
      'otlp_agent_worker_connections{worker="0"} 1',
      'otlp_agent_worker_items{worker="1"} 0',
      'otlp_agent_worker_busy_ratio{worker="2"} 0.5',
    ])
      expect(text).toContain(`${line}\n`);
  });
});

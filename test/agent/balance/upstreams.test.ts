import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../agent/balance/endpoint.ts';
import type { Probe } from '../../../agent/balance/probe.ts';
import { DEFAULT_HEALTH, type HealthSettings } from '../../../agent/balance/settings.ts';
import { type Change, Upstreams } from '../../../agent/balance/upstreams.ts';
import type { Resolver, Upstream } from '../../../agent/resolve/resolver.ts';
import { type LogLine, recordingLog } from '../kit/agent.ts';

/** A resolver whose list the test sets. */
class ListResolver implements Resolver {
  readonly kind = 'static';
  readonly status = { ok: true, message: 'by hand' };
  readonly counts = { resolutions: 1, failures: 0, changes: 1, upstreams: 0 };
  set: (upstreams: readonly Upstream[]) => void = () => {};

  start(onChange: (upstreams: readonly Upstream[]) => void): Promise<void> {
    this.set = onChange;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const upstream = (n: number, weight = 1): Upstream => ({ host: `h${n}`, port: 4317, weight });
const hosts = (endpoints: readonly Endpoint[]): string => endpoints.map((one) => one.host).join(' ');

async function started(health: Partial<HealthSettings> = {}, probe?: Probe) {
  const resolver = new ListResolver();
  const changes: string[] = [];
  const lines: LogLine[] = [];
  let now = 0;
  const upstreams = new Upstreams(
    resolver,
    { ...DEFAULT_HEALTH, ...health },
    {
      id: 'loadbalancing',
      log: recordingLog(lines),
      probe,
      now: () => now,
      changed: (change: Change) => {
        for (const what of ['added', 'removed', 'ejected', 'returned'] as const)
          if (change[what].length > 0) changes.push(`${what} ${hosts(change[what])}`);
      },
    },
  );
  await upstreams.start();
  const at = (n: number): Endpoint => upstreams.all.find((one) => one.host === `h${n}`) as Endpoint;
  const advance = (ms: number): void => {
    now += ms;
  };
  return { upstreams, resolver, changes, lines, at, advance, now: () => now };
}

describe('the list', () => {
  it('says what came and what went; who stays keeps its state, and takes a new weight', async () => {
    const { upstreams, resolver, changes, at } = await started();
    resolver.set([upstream(1), upstream(2)]);
    const kept = at(2);
    kept.active = 3;
    resolver.set([upstream(2, 5), upstream(3)]);
    expect(changes).toEqual(['added h1 h2', 'added h3', 'removed h1']);
    expect(at(2)).toBe(kept);
    expect([kept.active, kept.weight]).toEqual([3, 5]);
    expect(hosts(upstreams.live)).toBe('h2 h3');
    resolver.set([]);
    expect(upstreams.all).toEqual([]);
    await upstreams.close();
  });

  it('after close nothing is said any more', async () => {
    const { upstreams, resolver, changes } = await started();
    await upstreams.close();
    resolver.set([upstream(1)]);
    expect(changes).toEqual([]);
  });
});

describe('requests', () => {
  it('three failures in a row leave an upstream out at once, with one line in the log; a good answer begins anew', async () => {
    const { upstreams, resolver, changes, lines, at } = await started({ type: 'none' });
    resolver.set([upstream(1), upstream(2)]);
    upstreams.failed(at(1), 'no');
    upstreams.failed(at(1), 'no');
    upstreams.succeeded(at(1));
    upstreams.failed(at(1), 'no');
    upstreams.failed(at(1), 'no');
    expect(hosts(upstreams.live)).toBe('h1 h2');
    upstreams.failed(at(1), 'connection refused');
    upstreams.failed(at(1), 'connection refused');
    expect(hosts(upstreams.live)).toBe('h2');
    expect(changes).toEqual(['added h1 h2', 'ejected h1']);
    expect(lines.filter((line) => line.event === 'upstream left out')).toEqual([
      {
        level: 'warn',
        event: 'upstream left out',
        fields: { exporter: 'loadbalancing', upstream: 'h1:4317', reason: expect.stringContaining('connection refused') },
      },
    ]);
    await upstreams.close();
  });

  it('where none is well all are used, and the only one is never left out', async () => {
    const { upstreams, resolver, at } = await started({ ejectAfter: 1, type: 'none' });
    resolver.set([upstream(1), upstream(2)]);
    upstreams.failed(at(1), 'no');
    upstreams.failed(at(2), 'no');
    expect(hosts(upstreams.live)).toBe('h1 h2');
    resolver.set([upstream(3)]);
    upstreams.failed(at(3), 'no');
    expect(at(3).sick).toBe(false);
    await upstreams.close();
  });

  it('eject_after 0: never', async () => {
    const { upstreams, resolver, at } = await started({ ejectAfter: 0 });
    resolver.set([upstream(1), upstream(2)]);
    for (let i = 0; i < 100; i += 1) upstreams.failed(at(1), 'no');
    expect(hosts(upstreams.live)).toBe('h1 h2');
    await upstreams.close();
  });

  it('without checks it comes back after return_after', async () => {
    const { upstreams, resolver, at, changes } = await started({ type: 'none', ejectAfter: 1, returnAfterMs: 5 });
    resolver.set([upstream(1), upstream(2)]);
    upstreams.failed(at(1), 'no');
    while (at(1).sick) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(changes.at(-1)).toBe('returned h1');
    await upstreams.close();
  });
});

describe('checks', () => {
  it('a failed one leaves out, a good one brings back with a tenth of the share, growing', async () => {
    const bad = new Set<string>();
    const asked: string[] = [];
    const probe: Probe = async ({ host }, timeoutMs) => {
      asked.push(`${host} ${timeoutMs}`);
      return bad.has(host) ? 'NOT_SERVING' : undefined;
    };
    const { upstreams, resolver, at, changes, advance, now } = await started({}, probe);
    resolver.set([upstream(1), upstream(2)]);
    bad.add('h1');
    await upstreams.check();
    expect(asked).toEqual(['h1 5000', 'h2 5000']);
    expect(hosts(upstreams.live)).toBe('h2');
    bad.clear();
    advance(10_000);
    await upstreams.check();
    expect(changes.slice(1)).toEqual(['ejected h1', 'returned h1']);
    expect(at(1).warmth(now())).toBe(0.1);
    expect(at(1).warmth(now() + 15_000)).toBe(0.5);
    expect(at(1).warmth(now() + 30_000)).toBe(1);
    await upstreams.close();
  });

  it('a single upstream is not asked', async () => {
    let asked = 0;
    const { upstreams, resolver } = await started({}, async () => {
      asked += 1;
      return 'bad';
    });
    resolver.set([upstream(1)]);
    await upstreams.check();
    expect(asked).toBe(0);
    await upstreams.close();
  });

  it('a check that throws is a failed one', async () => {
    const { upstreams, resolver, lines } = await started({}, ({ port }) => {
      if (port > 65_535) throw new RangeError('no port');
      return Promise.resolve(undefined);
    });
    resolver.set([upstream(1), { host: 'h2', port: 70_000, weight: 1 }]);
    await upstreams.check();
    expect(hosts(upstreams.live)).toBe('h1');
    expect(lines.at(-1)?.fields.reason).toContain('no port');
    await upstreams.close();
  });

  it('an answer about one that has left meanwhile changes nothing', async () => {
    const answer = Promise.withResolvers<string | undefined>();
    const { upstreams, resolver, changes } = await started({}, () => answer.promise);
    resolver.set([upstream(1), upstream(2), upstream(3)]);
    const checking = upstreams.check();
    resolver.set([upstream(2), upstream(3)]);
    answer.resolve('bad');
    await checking;
    expect(changes).toEqual(['added h1 h2 h3', 'removed h1', 'ejected h2', 'ejected h3']);
    await upstreams.close();
  });
});

import { expect, it } from 'vitest';
import { sharedResolver } from '../../../agent/balance/shared-resolver.ts';
import type { Resolver, Upstream } from '../../../agent/resolve/resolver.ts';
import type { ResolverSettings } from '../../../agent/resolve/settings.ts';
import { recordingLog } from '../kit/agent.ts';

class Counted implements Resolver {
  readonly kind = 'static';
  readonly status = { ok: true, message: 'counted' };
  readonly counts = { resolutions: 1, failures: 0, changes: 1, upstreams: 1 };
  started = 0;
  closed = 0;
  say: (upstreams: readonly Upstream[]) => void = () => {};
  start(onChange: (upstreams: readonly Upstream[]) => void): Promise<void> {
    this.started += 1;
    this.say = onChange;
    return Promise.resolve();
  }
  async close(): Promise<void> {
    this.closed += 1;
  }
}

const settings = (host: string): ResolverSettings => ({ kind: 'static', upstreams: [{ host, port: 1, weight: 1 }] });
const upstream = (host: string): Upstream => ({ host, port: 1, weight: 1 });

it('signals of one agent share a resolver; it is started once, says everything to all, and ends with the last', async () => {
  const made: Counted[] = [];
  const create = () => {
    made.push(new Counted());
    return made.at(-1) as Counted;
  };
  const log = recordingLog([]);
  const [one, two, other, elsewhere] = [
    sharedResolver(settings('a'), log, create),
    sharedResolver(settings('a'), log, create),
    sharedResolver(settings('b'), log, create),
    sharedResolver(settings('a'), recordingLog([]), create),
  ];
  expect(made).toHaveLength(3);
  const heard: string[] = [];
  const listen = (name: string) => (list: readonly Upstream[]) => void heard.push(`${name} ${list.map(({ host }) => host).join('+')}`);
  await one.start(listen('one'));
  made[0]?.say([upstream('x')]);
  // Who comes later hears at once what is known.
  await two.start(listen('two'));
  made[0]?.say([upstream('x'), upstream('y')]);
  expect(heard).toEqual(['one x', 'two x', 'one x+y', 'two x+y']);
  expect(made[0]?.started).toBe(1);

  await one.close();
  await one.close();
  made[0]?.say([]);
  expect(heard.slice(4)).toEqual(['two ']);
  expect(made[0]?.closed).toBe(0);
  await two.close();
  expect(made[0]?.closed).toBe(1);

  // The next one begins anew.
  const again = sharedResolver(settings('a'), log, create);
  expect(made).toHaveLength(4);
  for (const resolver of [again, other, elsewhere]) await resolver.close();
  expect(made.map(({ closed }) => closed)).toEqual([1, 1, 1, 1]);
});

it('one that is closed without having started ends what it shares', async () => {
  const made = new Counted();
  await sharedResolver(settings('a'), recordingLog([]), () => made).close();
  expect([made.started, made.closed]).toEqual([0, 1]);
});

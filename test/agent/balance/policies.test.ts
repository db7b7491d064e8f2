import { describe, expect, it } from 'vitest';
import { createPolicy } from '../../../agent/balance/create-policy.ts';
import { Endpoint, type Usable } from '../../../agent/balance/endpoint.ts';
import type { Policy } from '../../../agent/balance/policy.ts';
import type { BalancerName } from '../../../agent/balance/settings.ts';

const REQUESTS = 100_000;
const ANY: Usable = () => true;
const endpoints = (...weights: number[]): Endpoint[] => weights.map((weight, i) => new Endpoint({ host: `h${i}`, port: 4317, weight }));

function made(name: BalancerName, list: readonly Endpoint[], random = 0): Policy {
  const policy = createPolicy(name, () => random);
  policy.use(list);
  return policy;
}

/** Requests that each got, where every request is over before the next begins. */
function run(policy: Policy, list: readonly Endpoint[], requests = REQUESTS, usable = ANY, now = 0): number[] {
  const got = new Map(list.map((one) => [one, 0]));
  for (let i = 0; i < requests; i += 1) {
    const endpoint = policy.pick(now, usable) as Endpoint;
    got.set(endpoint, (got.get(endpoint) as number) + 1);
  }
  return list.map((one) => got.get(one) as number);
}

/** Within 5 % of the share that the weights ask for. */
function expectShares(got: readonly number[], weights: readonly number[]): void {
  const requests = got.reduce((sum, n) => sum + n, 0);
  const total = weights.reduce((sum, n) => sum + n, 0);
  got.forEach((n, i) => {
    const ideal = (requests * (weights[i] as number)) / total;
    expect(Math.abs(n - ideal) / ideal, `${n} of ${requests} to number ${i}, ideal ${ideal}`).toBeLessThan(0.05);
  });
}

describe('round_robin', () => {
  it.each([1, 2, 3, 7, 100])(`${REQUESTS} requests to %i upstreams: within 5 %% of the ideal share`, (count) => {
    const list = endpoints(...new Array<number>(count).fill(1));
    expectShares(run(made('round_robin', list), list), new Array<number>(count).fill(1));
  });

  it('takes each in turn, from a place that differs from agent to agent', () => {
    const list = endpoints(1, 1, 1);
    const order = (random: number): string => {
      const policy = made('round_robin', list, random);
      return Array.from({ length: 6 }, () => policy.pick(0, ANY)?.host).join(' ');
    };
    expect(order(0)).toBe('h0 h1 h2 h0 h1 h2');
    expect(order(1.01 / 0x10000)).toBe('h1 h2 h0 h1 h2 h0');
  });

  it('one that leaves and one that comes: the others stay even', () => {
    const list = endpoints(1, 1, 1, 1);
    const policy = made('round_robin', list);
    run(policy, list, 101);
    const three = list.slice(0, 3);
    policy.use(three);
    expectShares(run(policy, three, 9000), [1, 1, 1]);
    const five = [...three, ...endpoints(1, 1)];
    policy.use(five);
    expectShares(run(policy, five, 10_000), [1, 1, 1, 1, 1]);
  });

  it('leaves out what is not usable, and its turns go evenly to the others', () => {
    const list = endpoints(1, 1, 1, 1);
    const got = run(made('round_robin', list), list, 30_000, (one) => one !== list[2]);
    expect(got[2]).toBe(0);
    // The one behind a gap gets the turns of the gap: that is round robin with a skip, as ejection takes it out of the list for good.
    expect(got.reduce((a, b) => a + b)).toBe(30_000);
  });

  it('one that came back gets a tenth of its share at first, the whole at the end', () => {
    const list = endpoints(1, 1, 1, 1);
    const policy = made('round_robin', list);
    list[0]?.startSlowly(0, 30_000);
    expectShares(run(policy, list, 31_000, ANY, 0), [0.1, 1, 1, 1]);
    expectShares(run(policy, list, 35_000, ANY, 15_000), [0.5, 1, 1, 1]);
    expectShares(run(policy, list, 40_000, ANY, 30_000), [1, 1, 1, 1]);
  });

  it('picks the only one also while it is cold, and none where none is usable', () => {
    const list = endpoints(1);
    list[0]?.startSlowly(0, 1000);
    const policy = made('round_robin', list);
    expect(run(policy, list, 10)).toEqual([10]);
    expect(policy.pick(0, () => false)).toBeUndefined();
    policy.use([]);
    expect(policy.pick(0, ANY)).toBeUndefined();
  });
});

describe('weighted_round_robin', () => {
  it.each([[[1, 1]], [[5, 1, 1]], [[10, 3, 2, 1]], [[100, 1, 50]]])(
    `${REQUESTS} requests by weights %j: within 5 %% of the ideal share`,
    (weights) => {
      const list = endpoints(...weights);
      expectShares(run(made('weighted_round_robin', list), list), weights);
    },
  );

  it('is smooth: 5, 1, 1 give a a b a c a a', () => {
    const list = endpoints(5, 1, 1);
    const policy = made('weighted_round_robin', list);
    expect(Array.from({ length: 7 }, () => policy.pick(0, ANY)?.host).join('')).toBe('h0h0h1h0h2h0h0');
  });

  it('slow start counts against the weight', () => {
    const list = endpoints(4, 1);
    list[0]?.startSlowly(0, 10_000);
    expectShares(run(made('weighted_round_robin', list), list, 10_000, ANY, 5000), [2, 1]);
  });

  it('keeps the shares when one leaves and none is usable gives none', () => {
    const list = endpoints(3, 2, 1);
    const policy = made('weighted_round_robin', list);
    run(policy, list, 1001);
    policy.use(list.slice(0, 2));
    expectShares(run(policy, list.slice(0, 2), 10_000), [3, 2]);
    expect(policy.pick(0, () => false)).toBeUndefined();
  });
});

describe('least_connections', () => {
  it.each([2, 3, 10])(
    `${REQUESTS} requests of equal service time, 16 at a time, to %i upstreams: within 5 %% of the ideal share`,
    (count) => {
      const list = endpoints(...new Array<number>(count).fill(1));
      const policy = made('least_connections', list);
      const got = new Map<Endpoint, number>(list.map((one) => [one, 0]));
      const running: Endpoint[] = [];
      for (let i = 0; i < REQUESTS; i += 1) {
        if (running.length === 16) (running.shift() as Endpoint).active -= 1;
        const endpoint = policy.pick(0, ANY) as Endpoint;
        endpoint.active += 1;
        running.push(endpoint);
        got.set(endpoint, (got.get(endpoint) as number) + 1);
      }
      expectShares([...got.values()], new Array<number>(count).fill(1));
    },
  );

  it('one at a time still goes round, though all are equally idle', () => {
    const list = endpoints(1, 1, 1);
    expectShares(run(made('least_connections', list), list, 30_000), [1, 1, 1]);
  });

  it('a slow one gets less: what it holds counts', () => {
    const list = endpoints(1, 1);
    const policy = made('least_connections', list);
    (list[0] as Endpoint).active = 5;
    expect(run(policy, list, 100)).toEqual([0, 100]);
  });

  it('weights and warmth divide the load', () => {
    const list = endpoints(3, 1);
    const policy = made('least_connections', list);
    const got = [0, 0];
    for (let i = 0; i < 400; i += 1) {
      const endpoint = policy.pick(0, ANY) as Endpoint;
      endpoint.active += 1;
      (got[list.indexOf(endpoint)] as number) += 1;
    }
    expectShares(got, [3, 1]);
    list[0]?.startSlowly(0, 1000);
    for (const one of list) one.active = 0;
    expect(policy.pick(0, ANY)).toBe(list[1]);
  });
});

describe('pick_first', () => {
  it('stays with the first, moves on when it fails, and does not go back', () => {
    const list = endpoints(1, 1, 1);
    const policy = made('pick_first', list);
    expect(run(policy, list, 10)).toEqual([10, 0, 0]);
    expect(run(policy, list, 10, (one) => one !== list[0])).toEqual([0, 10, 0]);
    expect(run(policy, list, 10)).toEqual([0, 10, 0]);
    policy.use([list[0] as Endpoint, list[2] as Endpoint]);
    expect(run(policy, list, 10)).toEqual([10, 0, 0]);
    expect(policy.pick(0, () => false)).toBeUndefined();
  });
});

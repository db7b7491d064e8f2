import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditRecord, create, type EmbeddedAgent, imbalances, type Outcome, type Verdict } from '../../../agent/index.ts';
import { request } from '../kit/otlp.ts';
import { type GrpcAnswer, grpcSink } from '../kit/sink.ts';

const SIGNALS = ['traces', 'metrics', 'logs'] as const;
/** success, INVALID_ARGUMENT, UNAVAILABLE, and a partial success that rejects one item (field 1 { field 1: 1 }). */
const ANSWERS: readonly (GrpcAnswer | undefined)[] = [
  undefined,
  undefined,
  { code: 3 },
  { code: 14 },
  { response: Buffer.from([0x0a, 0x02, 0x08, 0x01]) },
];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('offer' as const, 'sendRaw' as const),
      signal: fc.constantFrom(...SIGNALS),
      items: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('garbage' as const, 'empty' as const, 'unknown' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('flush' as const, 'turn' as const) }) },
);
const queue = fc.record({
  queue_size: fc.integer({ min: 5, max: 30 }),
  sizer: fc.constant('items' as const),
  on_overflow: fc.constantFrom('refuse' as const, 'drop_oldest' as const),
  num_consumers: fc.integer({ min: 1, max: 3 }),
  // Merged into one request, and cut: what is said of the request is shared out among those who sent its parts.
  batch: fc.option(fc.constant({ flush_timeout: '2ms', min_size: 5, max_size: 7 } as const), { nil: undefined }),
});

describe('whatever is handed over', () => {
  it('ends once, is in the audit once, and is in one place of the books', async () => {
    const seed = Date.now();
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        queue,
        fc.infiniteStream(fc.constantFrom(...ANSWERS)),
        fc.constantFrom('drain' as const, 'close' as const),
        async (steps, sendingQueue, answers, ending) => {
          const sink = await grpcSink(() => answers.next().value);
          const records: AuditRecord[] = [];
          const agent = await create(
            {
              exporter: { endpoint: `http://127.0.0.1:${sink.port}`, compression: 'none' },
              queue: sendingQueue,
              retry: { initial_interval: '1ms', max_interval: '2ms', max_elapsed_time: '10ms' },
            },
            { audit: (record) => records.push(record) },
          );
          const model = await play(agent, steps);
          if (ending === 'drain') await agent.drain(10_000);
          await agent.close();
          const outcomes = await Promise.all(model.promises);
          const { books, heldBytes, hookErrors } = agent.stats();
          expect(imbalances(books)).toEqual([]);
          expect([heldBytes, hookErrors, books.total.queued, model.twice]).toEqual([0, 0, 0, 0]);
          expect(model.ended).toBe(model.taken);
          expect(records).toHaveLength(model.handed);
          const items = (outcome: AuditRecord['outcome']): number =>
            records.filter((record) => record.outcome === outcome).reduce((sum, record) => sum + record.items - record.rejected, 0);
          const rejected = records.reduce((sum, record) => sum + record.rejected, 0);
          expect(items('delivered')).toBe(books.total.sent);
          expect(items('rejected') + items('lost') + rejected).toBe(books.total.sendFailed + books.total.evicted);
          expect(outcomes.filter(({ kind }) => kind === 'ok').length).toBe(model.sentRaw(records));
          await sink.close();
        },
      ),
      { seed, numRuns: 60 },
    );
  });
});

interface Model {
  handed: number;
  taken: number;
  ended: number;
  twice: number;
  readonly promises: Promise<Outcome>[];
  sentRaw(records: readonly AuditRecord[]): number;
}

type Step = { readonly do: string; readonly signal?: (typeof SIGNALS)[number]; readonly items?: number };

async function play(agent: EmbeddedAgent, steps: readonly Step[]): Promise<Model> {
  const model: Model = {
    handed: 0,
    taken: 0,
    ended: 0,
    twice: 0,
    promises: [],
    sentRaw: (records) => records.filter(({ who, outcome }) => who === 'raw' && outcome === 'delivered').length,
  };
  const offer = (signal: (typeof SIGNALS)[number], bytes: Uint8Array): void => {
    model.handed += 1;
    let answered = false;
    const onOutcome = (): void => {
      if (answered) model.twice += 1;
      answered = true;
      model.ended += 1;
    };
    const verdict: Verdict = agent.offer(signal, bytes, { onOutcome });
    if (verdict === 'taken') model.taken += 1;
    else if (answered) model.twice += 1;
  };
  for (const { do: what, signal = 'traces', items = 1 } of steps) {
    if (what === 'offer') offer(signal, request(signal, items));
    else if (what === 'garbage') offer('traces', Uint8Array.of(0xff, 0xff));
    else if (what === 'empty') offer('logs', new Uint8Array(0));
    else if (what === 'unknown') offer('profiles' as never, request('profiles', 1));
    else if (what === 'flush') await agent.flush();
    else if (what === 'turn') await new Promise((resolve) => setTimeout(resolve, 1));
    else {
      model.handed += 1;
      model.promises.push(agent.sendRaw(signal, request(signal, items), { who: 'raw' }));
    }
  }
  return model;
}

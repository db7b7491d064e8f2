import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpCodec } from '../../../agent/config/settings.ts';
import { finish, type Running, startAgent, until } from '../kit/agent.ts';
import { grpcExporter, LIMITS, QUEUE } from '../kit/settings.ts';
import { grpcSink, type Sink } from '../kit/sink.ts';
import { type Answer, answersIn, converse, cutAt } from './conversation.ts';
import { ODD, PLAIN, row, type Shape, UPGRADES } from './shapes.ts';

/** The same bytes to both codecs: what they answer, and when they hang up, is the same. */
const SEED = Number(process.env.FC_SEED ?? 20_261_121);
const AT_A_TIME = 100;
const RANDOM_CONVERSATIONS = 400;
/** Ends what has no end of its own. */
const TIME_LIMIT_MS = 250;
/** A machine that is late with one conversation so many times is none. */
const MOST_LATE = 10;

let sink: Sink;
let own: Running;
let node: Running;

beforeAll(async () => {
  sink = await grpcSink();
  const start = (http1Codec: HttpCodec): Promise<Running> =>
    startAgent({
      exporters: [grpcExporter(sink.port, { queue: { ...QUEUE, capacity: 100_000 } })],
      maxMessageBytes: 60_000,
      http: { http1Codec, readHeaderTimeoutMs: TIME_LIMIT_MS, limits: { ...LIMITS, bodyIdleMs: TIME_LIMIT_MS } },
    });
  own = await start('own');
  node = await start('node');
});
afterAll(async () => {
  await finish(own);
  await finish(node);
  await sink.close();
});

interface Conversation {
  readonly name: string;
  readonly pieces: readonly Buffer[];
}

interface Difference extends Conversation {
  readonly ours: readonly Answer[];
  readonly theirs: readonly Answer[];
}

/**
 * The differences that are wanted, all of pipelining:
 * - Behind an answer with `Connection: close` ours writes nothing; node:http reads on until its socket is closed, takes more requests
 *   that nobody gets an answer to, and adds a 400 for what is none.
 * - Where something that is no HTTP comes in one read with good requests before it, node:http answers 400 (431) to all of it, and the
 *   good ones are taken and never answered; ours answers each, then 400.
 * - node:http writes 100 Continue when it reads the request, however many answers are still to come before.
 */
function agree(ours: readonly Answer[], theirs: readonly Answer[]): boolean {
  const [own, other] = [untilClose(ours), untilClose(theirs)];
  if (isDeepStrictEqual(own, other)) return true;
  const refused = Object.keys(other.at(-1)?.headers ?? {}).join() === 'connection';
  if (!refused || own.at(-1)?.headers.connection !== 'close') return false;
  return own.length >= other.length && isDeepStrictEqual(own.slice(0, other.length - 1), other.slice(0, -1));
}

function untilClose(answers: readonly Answer[]): Answer[] {
  const final = answers.filter(({ status }) => status !== 100);
  const closed = final.findIndex(({ headers }) => headers.connection === 'close');
  return closed < 0 ? final : final.slice(0, closed + 1);
}

async function difference({ name, pieces }: Conversation): Promise<Difference | undefined> {
  const both = await Promise.all([converse(own.httpPort, pieces), converse(node.httpPort, pieces)]);
  const [ours, theirs] = both.map(answersIn) as [Answer[], Answer[]];
  return agree(ours, theirs) ? undefined : { name, pieces, ours, theirs };
}

/**
 * The time of one of them was over before the bytes came or between two parts, as the machine stood still, and that of the other not yet: it
 * answers 408, or nothing where it had read nothing.
 */
const wasLate = ({ ours, theirs }: Difference): boolean =>
  [ours, theirs].some((answers) => answers.length === 0 || answers.some(({ status }) => status === 408));

async function compare(conversations: readonly Conversation[]): Promise<void> {
  const different: Difference[] = [];
  for (let at = 0; at < conversations.length; at += AT_A_TIME) {
    await Promise.all(
      conversations.slice(at, at + AT_A_TIME).map(async (one) => {
        const found = await difference(one);
        if (found !== undefined) different.push(found);
      }),
    );
  }
  // What may have been late is said again, alone: it stays a difference where that is not the reason. Every other difference is one.
  for (let times = 0; times < MOST_LATE && different.some(wasLate); times += 1) {
    for (const one of different.splice(0)) {
      const found = wasLate(one) ? await difference(one) : one;
      if (found !== undefined) different.push(found);
    }
  }
  expect(different.map((one) => `${one.name}: ${status(one)}`)).toEqual([]);
  await until(() => [own, node].every(({ agent }) => agent.books().total.queued === 0 && agent.heldBytes === 0));
}

const all = [...PLAIN, ...ODD];
const [plain] = PLAIN as [Shape];
const status = ({ ours, theirs }: Difference): string =>
  [ours, theirs].map((answers) => answers.map((one) => one.status + one.body.slice(0, 20)).join()).join(' | ');

describe('both HTTP/1.1 codecs', () => {
  it.each(UPGRADES)('answer $name, and what follows is as node:http has it', async ({ bytes }) => {
    const both = await Promise.all([own, node].map(({ httpPort }) => converse(httpPort, [bytes], true)));
    expect(answersIn(both[0] as string)).toEqual(answersIn(both[1] as string));
    expect(both[0]).toMatch(/^HTTP\/1\.1 200 /u);
  });

  it('answer every shape of a request alike, alone', async () => {
    await compare(all.map((shape) => ({ name: shape.name, pieces: [row(shape)] })));
  });

  it('and between plain ones, pipelined', async () => {
    await compare(all.map((shape) => ({ name: shape.name, pieces: [row(plain, shape, plain)] })));
  });

  it('and where the bytes come in two parts', async () => {
    const cut = all.flatMap((shape) =>
      [0.1, 0.5, 0.9].map((part) => {
        const bytes = row(shape, plain);
        return { name: `${shape.name} cut at ${part}`, pieces: cutAt(bytes, [Math.floor(shape.bytes.length * part)]) };
      }),
    );
    await compare(cut);
  });

  it(`and in rows, cut anywhere (seed ${SEED})`, async () => {
    const shape = fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...PLAIN) }, { weight: 1, arbitrary: fc.constantFrom(...ODD) });
    const rows = fc.record({ shapes: fc.array(shape, { minLength: 1, maxLength: 5 }), places: fc.array(fc.nat(), { maxLength: 6 }) });
    const conversations = fc.sample(rows, { seed: SEED, numRuns: RANDOM_CONVERSATIONS }).map(({ shapes, places }) => ({
      name: `${shapes.map(({ name }) => name).join(' + ')} cut at ${places.join()}`,
      pieces: cutAt(row(...shapes), places),
    }));
    await compare(conversations);
  });

  it(`and with bytes that are changed, left out or put in (seed ${SEED})`, async () => {
    const fault = fc.record({
      shape: fc.constantFrom(...PLAIN),
      place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 9, 10, 13, 32, 58, 127)),
      kind: fc.constantFrom('change', 'leave out', 'put in'),
    });
    const conversations = fc.sample(fault, { seed: SEED, numRuns: RANDOM_CONVERSATIONS }).map(({ shape, place, byte, kind }) => {
      const head = shape.bytes.indexOf('\r\n\r\n') + 4;
      const at = Math.floor(place * head);
      const changed = Buffer.concat([
        shape.bytes.subarray(0, at),
        kind === 'leave out' ? Buffer.alloc(0) : Buffer.from([byte]),
        shape.bytes.subarray(kind === 'put in' ? at : at + 1),
      ]);
      return { name: `${shape.name}: ${kind} ${byte} at ${at}`, pieces: [row({ name: '', bytes: changed })] };
    });
    await compare(conversations);
  });
});

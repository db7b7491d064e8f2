import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { block, call, FIRST_DYNAMIC, huffman, indexed, kept, never, plain, tableSize, text } from './kit/hpack.ts';
import {
  continuation,
  data,
  EMPTY_MESSAGE,
  frame,
  headers,
  PREFACE,
  ping,
  priority,
  type RawClient,
  reset,
  settings,
  wholeCall,
  windowUpdate,
} from './kit/raw-client.ts';
import { CODECS, HostileTarget } from './kit/target.ts';

/**
 * Frames in any order, right and wrong ones, cut anywhere, with bytes changed: the agent says what it has to say and goes on. An exception
 * in it fails the test run by itself. fast-check prints its seed.
 */

const CONNECTIONS = 800;

const bytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
const id = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(1, 3, 5, 7, 9, 11) }, fc.constantFrom(0, 2, 4, 13, 0x7fff_ffff, 0x8000_0001));
const flags = fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 9, 0x20, 0x25, 0x2d), fc.nat(255));
const field: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constant(call()),
  fc
    .tuple(fc.string({ maxLength: 8 }), fc.string({ maxLength: 40 }))
    .chain(([name, value]) => fc.constantFrom(plain(name, value), kept(name, value), never(name, value))),
  fc.nat(80).map(indexed),
  fc.nat(5000).map(tableSize),
  fc.constant(indexed(FIRST_DYNAMIC)),
  bytes(12).map((given) => block(Buffer.from([0]), text('h'), huffman(...given))),
  bytes(10).map((given) => Buffer.from(given)),
);
const fields = fc.array(field, { maxLength: 5 }).map((parts) => block(...parts));
const requestBlock = fc.oneof(
  { weight: 3, arbitrary: fc.constant(call()) },
  fields,
  fields.map((more) => block(call(), more)),
);
const part: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(id, requestBlock, flags).map(([stream, given, f]) => headers(stream, given, f)) },
  { weight: 4, arbitrary: fc.tuple(id, requestBlock).map(([stream, given]) => wholeCall(stream, given, EMPTY_MESSAGE)) },
  { weight: 3, arbitrary: fc.tuple(id, bytes(60), flags).map(([stream, given, f]) => data(stream, given, f)) },
  fc.tuple(id, fields, flags).map(([stream, given, f]) => continuation(stream, given, f)),
  fc.tuple(id, fc.nat(15)).map(([stream, code]) => reset(stream, code)),
  fc.tuple(id, fc.constantFrom(0, 1, 5, 100, 0x7fff_0000, 0x7fff_ffff, 0xffff_ffff)).map(([stream, more]) => windowUpdate(stream, more)),
  fc
    .array(fc.tuple(fc.nat(8), fc.constantFrom(0, 1, 2, 4096, 16_384, 65_535, 2 ** 24, 2 ** 31 - 1, 2 ** 32 - 1)), { maxLength: 4 })
    .map((pairs) => settings(...pairs)),
  fc.nat(1000).map(ping),
  fc.tuple(id, id).map(([stream, on]) => priority(stream, on)),
  fc.tuple(fc.nat(12), flags, id, bytes(40)).map(([type, f, stream, given]) => frame(type, f, stream, given)),
  bytes(30).map((given) => Buffer.from(given)),
);

interface Conversation {
  readonly bytes: Buffer;
  /** Where it is cut into writes. */
  readonly cuts: readonly number[];
}

const conversation: fc.Arbitrary<Conversation> = fc
  .record({
    parts: fc.array(part, { minLength: 1, maxLength: 25 }),
    opens: fc.oneof({ weight: 9, arbitrary: fc.constant(Buffer.concat([PREFACE, settings()])) }, fc.constant(PREFACE)),
    changes: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 })),
    cuts: fc.array(fc.nat(400), { maxLength: 12 }),
  })
  .map(({ parts, opens, changes, cuts }) => {
    const body = Buffer.concat(parts);
    for (const [at, value] of changes) if (body.length > 0) body[at % body.length] = value;
    return { bytes: Buffer.concat([opens, body]), cuts };
  });

async function say(client: RawClient, { bytes: all, cuts }: Conversation): Promise<void> {
  let from = 0;
  for (const cut of cuts) {
    client.send(all.subarray(from, from + cut));
    from += cut;
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.send(all.subarray(from));
  // An answer, an error, or nothing where it waits for the rest of a frame: then the client goes.
  await Promise.race([client.settled(), client.closed, new Promise((resolve) => setTimeout(resolve, 20))]);
}

describe.each(CODECS)('conversations of any frames, codec %s', (codec) => {
  let target: HostileTarget;
  beforeAll(async () => {
    target = await HostileTarget.start(codec);
  });
  afterAll(() => target.end());

  it('end in answers or in errors', async () => {
    await fc.assert(
      fc.asyncProperty(conversation, async (one) => {
        const client = target.connect();
        client.acknowledges = false;
        await say(client, one);
        // Frames of ours are whole and right in themselves: none above 16 KiB, none on a stream that a server opens.
        for (const { type, stream, payload } of client.frames) {
          expect(type).toBeLessThan(10);
          expect(payload.length).toBeLessThanOrEqual(16_384);
          if (stream !== 0) expect(stream % 2).toBe(1);
        }
        client.close();
      }),
      { numRuns: CONNECTIONS, endOnFailure: true },
    );
    await target.servesOthers();
  });

  it('cost a valid call nothing: cut anywhere, it is answered', async () => {
    const whole = Buffer.concat([PREFACE, settings(), wholeCall(1, call(), EMPTY_MESSAGE), wholeCall(3, call(), EMPTY_MESSAGE)]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { maxLength: 20 }), async (cuts) => {
        const client = target.connect();
        client.acknowledges = false;
        let from = 0;
        for (const cut of cuts) {
          client.send(whole.subarray(from, from + cut));
          from += cut;
          await new Promise((resolve) => setImmediate(resolve));
        }
        client.send(whole.subarray(from));
        expect(await client.until(() => client.answered(1) && client.answered(3))).toBe(true);
        client.close();
      }),
      { numRuns: 60 },
    );
    await target.servesOthers();
  });
});

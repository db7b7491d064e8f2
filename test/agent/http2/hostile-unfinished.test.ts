import { afterEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../kit/settings.ts';
import { call, plain } from './kit/hpack.ts';
import { continuation, END_HEADERS, frame, headers, PREFACE, type RawClient, settings, TYPE, wholeCall } from './kit/raw-client.ts';
import { HostileTarget } from './kit/target.ts';

/**
 * Clients that begin a frame or a header block and do not finish it: what came of it waits in memory, 16 KiB or 32, and nothing else can be
 * said on their connection. node:http2 has no time for it.
 */

const BODY_IDLE_MS = 100;
const limits = { ...LIMITS, bodyIdleMs: BODY_IDLE_MS };
const CALM = 11;

describe('what a client does not finish, codec own', () => {
  let target: HostileTarget;
  afterEach(() => target.end());

  /** A client whose SETTINGS are done, so that nothing else of it is on its way. */
  async function speaking(): Promise<RawClient> {
    target = await HostileTarget.start('own', { limits });
    const client = target.speak();
    await client.settled();
    return client;
  }
  const code = async (client: RawClient): Promise<number | undefined> => (await client.frame(TYPE.GOAWAY))?.payload.readUInt32BE(4);

  it.each([
    ['a head', Buffer.from([0, 0, 4, 1])],
    ['HEADERS, of which only the head came', frame(TYPE.HEADERS, END_HEADERS, 1, call()).subarray(0, 9)],
    ['HEADERS', headers(1).subarray(0, -1)],
    ['SETTINGS', settings([4, 1000]).subarray(0, -1)],
    ['16 KiB of an unknown type', frame(0xbb, 0, 1, Buffer.alloc(16_384)).subarray(0, -1)],
    ['a header block without END_HEADERS', headers(1, call(), 0)],
    ['a header block that CONTINUATION has not ended', Buffer.concat([headers(1, call(), 0), continuation(1, plain('a', 'b'), 0)])],
    [
      'a header block in the middle of CONTINUATION',
      Buffer.concat([headers(1, call(), 0), continuation(1, plain('a', 'b')).subarray(0, 12)]),
    ],
    ['trailers without END_HEADERS', Buffer.concat([wholeCall(1), headers(3), headers(3, plain('a', 'b'), 1)])],
  ])('fails after body_idle_timeout: %s', async (_what, bytes) => {
    const client = await speaking();
    client.send(bytes);
    expect(await code(client)).toBe(CALM);
    await client.closed;
    expect((await target.faults()).frame_timeout).toBe(1);
    await target.servesOthers();
  });

  it.each([
    ['a frame byte by byte', (): Buffer => frame(0xbb, 0, 1, Buffer.alloc(16_384)), 1],
    [
      'a header block in CONTINUATIONs',
      (): Buffer =>
        Buffer.concat([headers(1, call(), 0), ...Array.from({ length: 32 }, () => continuation(1, plain('a', 'b'.repeat(500)), 0))]),
      100,
    ],
  ])('fails although it moves: %s', async (_what, make, step) => {
    const client = await speaking();
    const bytes = make();
    let at = 0;
    const drip = setInterval(() => {
      client.send(bytes.subarray(at, at + step));
      at += step;
    }, 10);
    expect(await code(client)).toBe(CALM);
    clearInterval(drip);
    expect(at).toBeLessThan(bytes.length);
    await client.closed;
    expect((await target.faults()).frame_timeout).toBe(1);
  });

  it('ends the other calls of its connection, and their memory is given back', async () => {
    const client = await speaking();
    client.send(headers(1), frame(TYPE.DATA, 0, 1, Buffer.from([0, 0, 0, 100, 0])), headers(3, call(), 0));
    expect(await code(client)).toBe(CALM);
    await client.closed;
    expect(target.running.agent.heldBytes).toBe(0);
  });

  it('is no matter of time between frames: a client may be silent there', async () => {
    const client = await speaking();
    const other = target.speak();
    await other.settled();
    client.send(wholeCall(1));
    expect(await client.until(() => client.answered(1))).toBe(true);
    other.send(headers(1).subarray(0, 5)); // when it has gone, sweeps have passed
    await other.closed;
    expect(await client.serves()).toBe(true);
    expect(await target.faults()).toEqual({ frame_timeout: 1 });
  });

  it('leaves DATA to its call, which gets DEADLINE_EXCEEDED, and the connection goes on when the rest has come', async () => {
    const client = await speaking();
    const body = frame(TYPE.DATA, 1, 1, Buffer.concat([Buffer.from([0, 0, 0, 0, 100]), Buffer.alloc(100)]));
    client.send(headers(1), body.subarray(0, 20));
    expect(await client.until(() => client.answered(1))).toBe(true);
    client.send(body.subarray(20));
    expect(await client.serves()).toBe(true);
    expect((await target.faults()).frame_timeout).toBeUndefined();
  });

  it('has handshake_timeout where it is the preface', async () => {
    target = await HostileTarget.start('own', { limits, handshakeTimeoutMs: 60 });
    const client = target.connect();
    client.acknowledges = false;
    client.send(PREFACE.subarray(0, 10));
    await client.closed;
    expect(await target.faults()).toEqual({ handshake_timeout: 1 });
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import type { GrpcServerSettings } from '../../../agent/config/settings.ts';
import { LIMITS } from '../kit/settings.ts';
import { call } from './kit/hpack.ts';
import { type RawClient, SETTING, settings, TYPE, wholeCall, windowUpdate } from './kit/raw-client.ts';
import { CODECS, HostileTarget } from './kit/target.ts';

/** Clients that give no room for their answers: RFC 9113, 5.2 and 6.9. The answer to an empty call is a DATA frame of 5 bytes. */

const ANSWER_BYTES = 5;
const INITIAL_WINDOW = 65_535;

describe.each(CODECS)('windows of the client, codec %s', (codec) => {
  /** nghttp2 looks for the end of a body when it has room for one byte more: its trailers wait for a window that they do not need. */
  const forTheEnd = codec === 'node' ? 1 : 0;
  let target: HostileTarget;
  afterEach(() => target.end());
  const start = async (grpc: Partial<GrpcServerSettings> = {}): Promise<void> => {
    target = await HostileTarget.start(codec, grpc);
  };
  const answered = (client: RawClient, stream: number): Promise<boolean> => client.until(() => client.answered(stream));

  it('of 0 get an answer byte by byte, as they are opened', async () => {
    await start();
    const client = target.speak([SETTING.INITIAL_WINDOW, 0]);
    client.send(wholeCall(1));
    await client.frame(TYPE.HEADERS, 1);
    await client.settled();
    expect(client.received(1)).toBe(0);
    for (let byte = 1; byte <= ANSWER_BYTES; byte += 1) {
      client.send(windowUpdate(1, 1));
      expect(await client.until(() => client.received(1) >= byte)).toBe(true);
      await client.settled();
      expect(client.received(1)).toBe(byte);
    }
    if (forTheEnd > 0) client.send(windowUpdate(1, forTheEnd));
    expect(await answered(client, 1)).toBe(true);
    await target.servesOthers();
  });

  it('that go below 0 by SETTINGS have to come back above it', async () => {
    await start();
    const client = target.speak([SETTING.INITIAL_WINDOW, 3]);
    client.send(wholeCall(1));
    expect(await client.until(() => client.received(1) === 3)).toBe(true);
    client.send(settings([SETTING.INITIAL_WINDOW, 0]), windowUpdate(1, 3));
    await client.settled();
    expect(client.received(1)).toBe(3);
    client.send(windowUpdate(1, 1));
    expect(await client.until(() => client.received(1) === 4)).toBe(true);
    client.send(settings([SETTING.INITIAL_WINDOW, 100]));
    expect(await answered(client, 1)).toBe(true);
    expect(client.received(1)).toBe(ANSWER_BYTES);
    await target.servesOthers();
  });

  it('of the connection, once used up, hold answers back until they are opened, and then none is lost', async () => {
    await start({ maxConcurrentStreams: 20_000 });
    const client = target.speak();
    const calls = Math.floor(INITIAL_WINDOW / ANSWER_BYTES) + 1000;
    // A little at a time, so that what is asked for is answered: without end it would be a flood.
    for (let i = 0; i < calls; i += 100) {
      for (let k = i; k < Math.min(calls, i + 100); k += 1) client.send(wholeCall(2 * k + 1));
      await client.settled();
    }
    expect(client.received()).toBe(INITIAL_WINDOW);
    await target.servesOthers();
    client.send(windowUpdate(0, 1_000_000));
    expect(await client.until(() => client.received() === calls * ANSWER_BYTES)).toBe(true);
    for (let k = 0; k < calls; k += 1) if (!client.answered(2 * k + 1)) expect(await answered(client, 2 * k + 1)).toBe(true);
  });

  it('that are never opened cost a stream each, and no more than max_concurrent_streams of them', async () => {
    await start({ maxConcurrentStreams: 10 });
    const client = target.speak([SETTING.INITIAL_WINDOW, 0]);
    for (let k = 0; k < 20; k += 1) client.send(wholeCall(2 * k + 1));
    await client.settled();
    const refused = client.frames.filter((one) => one.type === TYPE.RST_STREAM);
    expect(refused.length).toBe(10);
    for (const one of refused) expect(one.payload.readUInt32BE(0)).toBe(7);
    await target.servesOthers();
    client.send(settings([SETTING.INITIAL_WINDOW, ANSWER_BYTES + forTheEnd]));
    for (let k = 0; k < 10; k += 1) expect(await answered(client, 2 * k + 1)).toBe(true);
  });

  it('that are never opened have their streams reset after write_timeout, with a count', async () => {
    await start({ limits: { ...LIMITS, writeTimeoutMs: 100 } });
    const client = target.speak([SETTING.INITIAL_WINDOW, 0]);
    client.send(wholeCall(1), wholeCall(3));
    const ended = (stream: number): boolean => client.frames.some((one) => one.type === TYPE.RST_STREAM && one.stream === stream);
    expect(await client.until(() => (ended(1) && ended(3)) || client.isClosed)).toBe(true);
    expect((await target.faults()).response_unread).toBeGreaterThanOrEqual(1);
    await target.servesOthers();
  });

  it('are kept to in frames too: none above the size that the client takes', async () => {
    await start();
    const client = target.speak([SETTING.MAX_FRAME, 16_384]);
    client.send(wholeCall(1, call({ ':path': `/${'p'.repeat(12_000)}` })));
    await client.verdict();
    expect(Math.max(...client.frames.map((one) => one.payload.length))).toBeLessThanOrEqual(16_384);
    await target.servesOthers();
  });
});

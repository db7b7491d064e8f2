import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientConnection, createClientSession } from '../../../agent/http2/client-session.ts';
import { Flag, FrameType, Setting } from '../../../agent/http2/frames.ts';
import { ErrorCode } from '../../../agent/http2/server.ts';
import { until } from '../kit/agent.ts';
import {
  answer,
  CALL,
  frame,
  goaway,
  type Heard,
  headers,
  type Pair,
  pair,
  reset,
  settings,
  windowUpdate,
  word,
} from './kit/raw-server.ts';

const open: Pair[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function start(begin?: readonly Buffer[]): Promise<Pair> {
  const made = await pair(createClientSession, begin);
  open.push(made);
  await made.server.until(() => made.server.of(FrameType.SETTINGS).length > (begin?.length === 0 ? 0 : 1));
  return made;
}

const body = (bytes: number): Buffer => Buffer.alloc(bytes, 7);

describe('a call', () => {
  it('is HEADERS and DATA with END_STREAM; its answer comes with headers, bytes and trailers', async () => {
    const { server, call } = await start();
    const heard = call([body(5), body(1000)]);
    await server.until(() => server.bytesOf(1) === 1005);
    expect(server.of(FrameType.HEADERS, 1)).toHaveLength(1);
    expect(server.of(FrameType.DATA, 1).at(-1)?.flags).toBe(Flag.END_STREAM);
    server.send(answer(1));
    expect(await heard.over).toEqual({ code: 0, sent: true, refused: false, message: '' });
    expect([heard.response?.get(':status'), heard.data, heard.trailers?.get('grpc-status')]).toEqual(['200', Buffer.alloc(5), '0']);
  });

  it('has an answer of trailers only, and interim answers are passed over', async () => {
    const { server, call } = await start();
    const heard = call([body(5)]);
    await server.until(() => server.bytesOf(1) === 5);
    server.send(headers(1, { ':status': '103' }), headers(1, { ':status': '200', 'grpc-status': '14' }, true));
    await heard.over;
    expect([heard.response?.get('grpc-status'), heard.trailers]).toEqual(['14', undefined]);
  });

  it('is the same bytes however its slices, the frames and both windows are cut', async () => {
    const seed = Date.now() & 0x7fffffff;
    console.log(`seed ${seed}`);
    const slices = fc.array(
      fc.integer({ min: 1, max: 40_000 }).map((n) => randomBytes(n)),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(slices, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(1, 100, 16_384, 65_535, 1_000_000),
        fc.constantFrom(16_384, 20_000, 1_000_000),
        async (bodies, window, frameBytes) => {
          const made = await start([settings([Setting.INITIAL_WINDOW_SIZE, window], [Setting.MAX_FRAME_SIZE, frameBytes])]);
          const { server, call } = made;
          const whole = bodies.map((one) => Buffer.concat(one));
          const all = bodies.map((one) => call(one));
          const given = whole.map((): number => window);
          let connection = 65_535;
          for (;;) {
            const seen = server.frames.length;
            const counts = whole.map((_, i) => server.bytesOf(2 * i + 1));
            counts.forEach((count, i) => {
              expect(count).toBeLessThanOrEqual(given[i] as number);
            });
            const total = counts.reduce((sum, count) => sum + count, 0);
            expect(total).toBeLessThanOrEqual(connection);
            if (total === whole.reduce((sum, one) => sum + one.length, 0)) break;
            whole.forEach((one, i) => {
              if ((counts[i] as number) < (given[i] as number) || (counts[i] as number) === one.length) return;
              given[i] = (given[i] as number) + 50_000;
              server.send(windowUpdate(2 * i + 1, 50_000));
            });
            if (total === connection) {
              connection += 70_000;
              server.send(windowUpdate(0, 70_000));
            }
            await server.until(() => server.frames.length > seen);
          }
          whole.forEach((one, i) => {
            const data = server.of(FrameType.DATA, 2 * i + 1);
            expect(Math.max(...data.map(({ payload }) => payload.length))).toBeLessThanOrEqual(frameBytes);
            expect(Buffer.concat(data.map(({ payload }) => payload)).equals(one)).toBe(true);
            expect(data.map(({ flags }) => flags & Flag.END_STREAM)).toEqual([...data.slice(1).map(() => 0), Flag.END_STREAM]);
            server.send(answer(2 * i + 1));
          });
          for (const heard of all) expect((await heard.over).code).toBe(0);
          made.close();
        },
      ),
      { seed, numRuns: 25 },
    );
  });

  it('with more headers than a frame holds has CONTINUATION', async () => {
    const { server, call } = await start();
    call([body(5)], { ...CALL, 'x-long': 'v'.repeat(40_000) });
    await server.until(() => server.bytesOf(1) === 5);
    const blocks = server.frames.filter(({ stream }) => stream === 1).slice(0, 3);
    expect(blocks.map(({ type, flags, payload }) => [type, flags, payload.length > 0])).toEqual([
      [FrameType.HEADERS, 0, true],
      [FrameType.CONTINUATION, 0, true],
      [FrameType.CONTINUATION, Flag.END_HEADERS, true],
    ]);
  });

  it('that is cancelled is reset, and nothing more of it is sent', async () => {
    const { server, call } = await start([settings([Setting.INITIAL_WINDOW_SIZE, 100])]);
    const heard = call([body(1000)]);
    await server.until(() => server.bytesOf(1) === 100);
    heard.cancel();
    expect(await heard.over).toMatchObject({ code: ErrorCode.CANCEL, sent: true, refused: false });
    await server.until(() => server.of(FrameType.RST_STREAM, 1).length === 1);
    server.send(windowUpdate(1, 1000), windowUpdate(0, 1000), answer(1)); // what was on its way is no error
    const next = call([body(5)]);
    await server.until(() => server.bytesOf(3) === 5);
    server.send(answer(3));
    await next.over;
    expect(server.bytesOf(1)).toBe(100);
  });

  it('that is answered before its end is given up, and told when the socket has what was sent', async () => {
    const { server, call } = await start([settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 30]), windowUpdate(0, 2 ** 30)]);
    server.socket.pause();
    const heard = call([body(64 * 1024 * 1024)]);
    await new Promise((resolve) => setImmediate(resolve));
    server.send(headers(1, { ':status': '200', 'grpc-status': '3' }, true));
    await until(() => heard.response !== undefined);
    // That it is not told now can only be waited for.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([heard.response?.get('grpc-status'), heard.end]).toEqual(['3', undefined]);
    server.socket.resume();
    expect(await heard.over).toMatchObject({ sent: true, refused: false });
    await server.until(() => server.of(FrameType.RST_STREAM, 1).length === 1);
    expect(server.bytesOf(1)).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('the peer', () => {
  it('that takes nothing any more is left soon after the connection has ended', async () => {
    for (const how of ['breaks the protocol', 'is left'] as const) {
      const { server, session, call, closed } = await start([settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 30]), windowUpdate(0, 2 ** 30)]);
      server.socket.pause();
      const heard = call([body(64 * 1024 * 1024)]);
      await new Promise((resolve) => setImmediate(resolve));
      if (how === 'is left') {
        session.close();
        server.send(reset(1, ErrorCode.INTERNAL_ERROR));
      } else server.send(frame(FrameType.PING, 0, 0, Buffer.alloc(7)));
      expect((await heard.over).refused).toBe(false);
      await closed;
    }
  });

  it('is asked for nothing more on a connection whose stream ids are used up: calls go on elsewhere', async () => {
    const { server, session, call, said, closed } = await start();
    (session as ClientConnection).nextId = 2 ** 31 - 1;
    const [last, ...others] = [call([body(5)]), call([body(6)]), call([body(7)])];
    for (const one of others) expect(await one.over).toMatchObject({ sent: false, refused: true });
    await server.until(() => server.bytesOf(2 ** 31 - 1) === 5);
    expect([said.at(-1), session.closing]).toEqual(['goaway', true]);
    expect(() => call([body(5)])).toThrow('no new calls');
    server.send(answer(2 ** 31 - 1));
    expect((await (last as Heard).over).message).toBe('');
    await closed;
    expect(server.of(FrameType.HEADERS)).toHaveLength(1);
  });

  it('lets only so many calls run: the others wait, and leave in their order', async () => {
    const { server, call, said } = await start([settings([Setting.MAX_CONCURRENT_STREAMS, 2])]);
    const all = [1, 2, 3, 4].map((n) => call([body(n)]));
    await server.until(() => server.bytesOf(3) === 2);
    expect([said, server.of(FrameType.HEADERS).length]).toEqual([['settings 2'], 2]);
    server.send(answer(3));
    await server.until(() => server.bytesOf(5) === 3);
    server.send(answer(1), answer(5));
    await server.until(() => server.bytesOf(7) === 4);
    server.send(answer(7));
    for (const heard of all) expect((await heard.over).message).toBe('');
  });

  it('pings and is answered with its own bytes; our ping is answered once', async () => {
    const { server, session } = await start();
    server.send(frame(FrameType.PING, 0, 0, Buffer.from('12345678')));
    await server.until(() => server.of(FrameType.PING).length === 1);
    expect(server.of(FrameType.PING)[0]).toMatchObject({ flags: Flag.ACK, payload: Buffer.from('12345678') });
    const alive = new Promise<boolean>((resolve) => {
      session.ping(resolve);
    });
    await server.until(() => server.of(FrameType.PING).length === 2);
    server.send(frame(FrameType.PING, Flag.ACK, 0, Buffer.alloc(8)));
    expect(await alive).toBe(true);
  });

  it('refuses a call, or resets it', async () => {
    const { server, call } = await start();
    const [refused, broken] = [call([body(5)]), call([body(5)])];
    await server.until(() => server.bytesOf(3) === 5);
    server.send(reset(1, ErrorCode.REFUSED_STREAM), reset(3, ErrorCode.INTERNAL_ERROR));
    expect(await refused.over).toEqual({ code: 7, sent: true, refused: true, message: '' });
    expect(await broken.over).toEqual({ code: 2, sent: true, refused: false, message: '' });
  });

  it('says GOAWAY: calls above its last stream and those that wait were not looked at, the others end, then the connection', async () => {
    const { server, call, said, session, closed } = await start([settings([Setting.MAX_CONCURRENT_STREAMS, 2])]);
    const [first, above, waiting] = [call([body(5)]), call([body(5)]), call([body(5)])];
    await server.until(() => server.bytesOf(3) === 5);
    server.send(goaway(1));
    expect([(await above.over).refused, (await waiting.over).refused, (await waiting.over).sent]).toEqual([true, true, false]);
    expect([said.at(-1), first.end, session.closing]).toEqual(['goaway', undefined, true]);
    expect(() => call([body(5)])).toThrow('no new calls');
    server.send(answer(1));
    expect((await first.over).refused).toBe(false);
    await closed;
  });

  it('hangs up: calls that left may have been taken, and a ping is not answered', async () => {
    const { server, call, session, closed } = await start([settings([Setting.MAX_CONCURRENT_STREAMS, 1])]);
    const [first, waiting] = [call([body(5)]), call([body(5)])];
    await server.until(() => server.bytesOf(1) === 5);
    const alive = new Promise<boolean>((resolve) => {
      session.ping(resolve);
    });
    server.socket.destroy();
    expect(await first.over).toMatchObject({ sent: true, refused: false });
    expect(await waiting.over).toMatchObject({ sent: false, refused: false });
    expect(await alive).toBe(false);
    await closed;
  });

  it('sends an answer of many windows, which are given back', async () => {
    const { server, call } = await start();
    const heard = call([body(5)]);
    await server.until(() => server.bytesOf(1) === 5);
    server.send(headers(1, { ':status': '200' }));
    for (let i = 0; i < 100; i += 1) {
      server.send(frame(FrameType.DATA, 0, 1, Buffer.alloc(16_384, i)));
      if (i % 2 === 1) await server.until(() => server.of(FrameType.WINDOW_UPDATE, 1).length > (i - 3) / 2);
    }
    server.send(headers(1, { 'grpc-status': '0' }, true));
    await heard.over;
    expect(heard.data.length).toBe(100 * 16_384);
  });
});

describe('fails a connection whose peer', () => {
  const block = Buffer.from([0x88]); // :status 200
  const CASES: [what: string, code: number, ...frames: Buffer[]][] = [
    ['does not begin with SETTINGS', ErrorCode.PROTOCOL_ERROR, frame(FrameType.PING, 0, 0, Buffer.alloc(8))],
    ['speaks HTTP/1.1', ErrorCode.FRAME_SIZE_ERROR, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['pushes', ErrorCode.PROTOCOL_ERROR, settings(), frame(FrameType.PUSH_PROMISE, Flag.END_HEADERS, 1, Buffer.alloc(4))],
    ['lets us be pushed to', ErrorCode.PROTOCOL_ERROR, settings([Setting.ENABLE_PUSH, 1])],
    ['answers what was not asked', ErrorCode.PROTOCOL_ERROR, settings(), headers(9, { ':status': '200' })],
    ['sends DATA before HEADERS', ErrorCode.PROTOCOL_ERROR, settings(), frame(FrameType.DATA, 0, 1, Buffer.alloc(1))],
    ['sends DATA of no call', ErrorCode.PROTOCOL_ERROR, settings(), frame(FrameType.DATA, 0, 2, Buffer.alloc(1))],
    [
      'sends a broken header block',
      ErrorCode.COMPRESSION_ERROR,
      settings(),
      frame(FrameType.HEADERS, Flag.END_HEADERS, 1, Buffer.from([0xff])),
    ],
    [
      'pads more than there is',
      ErrorCode.PROTOCOL_ERROR,
      settings(),
      frame(FrameType.HEADERS, Flag.END_HEADERS | Flag.PADDED, 1, Buffer.from([9, 0x88])),
    ],
    [
      'interrupts a header block',
      ErrorCode.PROTOCOL_ERROR,
      settings(),
      frame(FrameType.HEADERS, 0, 1, block),
      frame(FrameType.PING, 0, 0, Buffer.alloc(8)),
    ],
    [
      'puts DATA into a header block',
      ErrorCode.PROTOCOL_ERROR,
      settings(),
      frame(FrameType.HEADERS, 0, 1, block),
      frame(FrameType.DATA, 0, 1, block),
    ],
    ['continues nothing', ErrorCode.PROTOCOL_ERROR, settings(), frame(FrameType.CONTINUATION, Flag.END_HEADERS, 1, block)],
    [
      'never ends a header block',
      ErrorCode.ENHANCE_YOUR_CALM,
      settings(),
      frame(FrameType.HEADERS, 0, 1, block),
      ...Array.from({ length: 40 }, () => frame(FrameType.CONTINUATION, 0, 1)),
    ],
    ['opens a window too far', ErrorCode.FLOW_CONTROL_ERROR, settings(), windowUpdate(0, 2 ** 31 - 1)],
    ['opens a window by nothing', ErrorCode.PROTOCOL_ERROR, settings(), windowUpdate(0, 0)],
    ['has windows of more than 31 bits', ErrorCode.FLOW_CONTROL_ERROR, settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 31])],
    ['has frames of less than 16 KiB', ErrorCode.PROTOCOL_ERROR, settings([Setting.MAX_FRAME_SIZE, 100])],
    ['sends half a setting', ErrorCode.FRAME_SIZE_ERROR, frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(5))],
    ['sends a short PING', ErrorCode.FRAME_SIZE_ERROR, settings(), frame(FrameType.PING, 0, 0, Buffer.alloc(7))],
    ['sends a short GOAWAY', ErrorCode.FRAME_SIZE_ERROR, settings(), frame(FrameType.GOAWAY, 0, 0, word(1))],
    ['sends a frame that is too large', ErrorCode.FRAME_SIZE_ERROR, settings(), frame(FrameType.PING, 0, 0, Buffer.alloc(16_385))],
    [
      'pings without end',
      ErrorCode.ENHANCE_YOUR_CALM,
      settings(),
      ...Array.from({ length: 1200 }, () => frame(FrameType.PING, 0, 0, Buffer.alloc(8))),
    ],
    ['sends SETTINGS without end', ErrorCode.ENHANCE_YOUR_CALM, ...Array.from({ length: 1200 }, () => settings())],
    [
      'sends empty DATA without end',
      ErrorCode.ENHANCE_YOUR_CALM,
      settings(),
      headers(1, { ':status': '200' }),
      ...Array.from({ length: 1200 }, () => frame(FrameType.DATA, 0, 1)),
    ],
  ];

  it.each(CASES)('%s', async (_what, code, ...frames) => {
    const made = await start([]);
    const heard = made.call([body(5)]);
    await made.server.until(() => made.server.bytesOf(1) === 5);
    made.server.send(...frames);
    const end = await heard.over;
    expect(end.refused).toBe(false);
    // What is wrong with one call ends that call only.
    if (!made.said.some((one) => one.startsWith('failed'))) expect(end.message).toMatch(/HTTP\/2/);
    await made.server.until(() => made.server.of(FrameType.GOAWAY).length > 0 || made.server.of(FrameType.RST_STREAM, 1).length > 0);
    const sent =
      made.server.of(FrameType.GOAWAY)[0]?.payload.readUInt32BE(4) ?? made.server.of(FrameType.RST_STREAM, 1)[0]?.payload.readUInt32BE();
    expect(sent).toBe(code);
  });

  it('random bytes end calls or not, and nothing throws', async () => {
    const seed = Date.now() & 0x7fffffff;
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(11), fc.nat(255), fc.constantFrom(0, 1, 3, 2), fc.uint8Array({ maxLength: 40 })), { maxLength: 12 }),
        async (list) => {
          const made = await start();
          const heard = [made.call([body(5)]), made.call([body(70_000)])];
          made.server.send(...list.map(([type, flags, stream, payload]) => frame(type, flags, stream, payload)));
          made.server.socket.end();
          for (const one of heard) expect(typeof (await one.over).sent).toBe('boolean');
          await made.closed;
          made.close();
        },
      ),
      { seed, numRuns: 100 },
    );
  });
});

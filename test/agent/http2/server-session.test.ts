import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { Flag, FrameType, Setting, uint32 } from '../../../agent/http2/frames.ts';
import { ErrorCode } from '../../../agent/http2/server.ts';
import { block, echoing, frame, hello, noting, OK_HEADERS, OK_TRAILERS, POST, scripted, settingsFrame, word } from './script-wire.ts';

const HEADERS = Flag.END_HEADERS;
const LAST = Flag.END_HEADERS | Flag.END_STREAM;
const { DATA, WINDOW_UPDATE, RST_STREAM, PING, GOAWAY } = FrameType;

const request = (id: number, body: Uint8Array): Buffer =>
  Buffer.concat([frame(FrameType.HEADERS, HEADERS, id, block(POST)), frame(DATA, Flag.END_STREAM, id, body)]);

/** Lengths of the DATA frames that were sent on a stream. */
const sizes = (wire: ReturnType<typeof scripted>['wire'], id: number): number[] =>
  wire
    .frames()
    .filter((one) => one.type === DATA && one.stream === id)
    .map((one) => one.payload.length);

const flush = (): Promise<void> => new Promise((resolve) => queueMicrotask(resolve));

describe('an HTTP/2 session', () => {
  it('begins with its settings and its window, and acknowledges those of the client', async () => {
    const { wire, log } = scripted();
    await flush();
    expect(wire.frames().map(({ type, flags }) => [type, flags])).toEqual([
      [FrameType.SETTINGS, 0],
      [WINDOW_UPDATE, 0],
    ]);
    wire.receive(hello());
    expect(wire.frames().at(-1)).toMatchObject({ type: FrameType.SETTINGS, flags: Flag.ACK });
    expect(log).toEqual(['ready']);
  });

  it('answers all requests of one read with one write', async () => {
    const { wire } = scripted({}, echoing);
    await flush();
    wire.receive(hello());
    const { writes } = wire;
    wire.receive(request(1, Buffer.from('one')), request(3, Buffer.from('two')), request(5, Buffer.from('three')));
    expect(wire.writes).toBe(writes + 1);
    expect(
      wire
        .frames()
        .slice(3)
        .map(({ type, flags, stream, payload }) => [type, flags, stream, type === DATA ? payload.toString() : '']),
    ).toEqual(
      ['one', 'two', 'three'].flatMap((body, i) => [
        [FrameType.HEADERS, HEADERS, 2 * i + 1, ''],
        [DATA, 0, 2 * i + 1, body],
        [FrameType.HEADERS, LAST, 2 * i + 1, ''],
      ]),
    );
  });

  it('answers later with one write for what one turn brings', async () => {
    const { wire, streams } = scripted();
    wire.receive(hello(), request(1, Buffer.from('a')), request(3, Buffer.from('b')));
    await flush();
    const { writes } = wire;
    for (const stream of streams) stream.respond(OK_HEADERS, Buffer.alloc(5), OK_TRAILERS);
    await flush();
    expect(wire.writes).toBe(writes + 1);
  });

  it('keeps what connections send apart, when their answers are made in turns', async () => {
    const sessions = [scripted(), scripted(), scripted()];
    for (const { wire } of sessions) wire.receive(hello(), request(1, Buffer.from('a')), request(3, Buffer.from('b')));
    for (const n of [0, 1]) {
      for (const [i, { streams }] of sessions.entries()) streams[n]?.respond(OK_HEADERS, Buffer.from(`${i} ${n}`), OK_TRAILERS);
    }
    await flush();
    for (const [i, { wire }] of sessions.entries()) {
      expect(
        wire
          .frames()
          .filter(({ type }) => type === DATA)
          .map(({ payload }) => payload.toString()),
      ).toEqual([`${i} 0`, `${i} 1`]);
    }
  });

  it('sends no more than the windows of the client and its frame size allow, and goes on when they open', () => {
    const { wire } = scripted({}, echoing);
    wire.receive(hello([[Setting.INITIAL_WINDOW_SIZE, 20_000]]), request(1, Buffer.alloc(10_000)));
    expect(sizes(wire, 1)).toEqual([10_000]);
    const body = Buffer.alloc(16_000, 'x');
    wire.receive(frame(FrameType.HEADERS, HEADERS, 3, block(POST)), frame(DATA, 0, 3, body), frame(DATA, Flag.END_STREAM, 3, body));
    expect(sizes(wire, 3)).toEqual([16_384, 3_616]);
    wire.receive(frame(WINDOW_UPDATE, 0, 3, word(2_000)));
    expect(sizes(wire, 3)).toEqual([16_384, 3_616, 2_000]);
    wire.receive(settingsFrame([[Setting.INITIAL_WINDOW_SIZE, 50_000]]));
    expect(sizes(wire, 3)).toEqual([16_384, 3_616, 2_000, 10_000]);
    expect(wire.frames().at(-1)).toMatchObject({ type: FrameType.HEADERS, flags: LAST, stream: 3 });
  });

  it('shares the window of the connection among streams in the order in which they asked', () => {
    const { wire, session } = scripted({}, echoing);
    wire.receive(hello());
    const body = Buffer.alloc(16_000);
    for (let id = 1; id <= 11; id += 2) wire.receive(request(id, body));
    // 65,535 bytes: four answers and a part of the fifth.
    expect([1, 3, 5, 7, 9, 11].map((id) => sizes(wire, id).reduce((a, b) => a + b, 0))).toEqual([16_000, 16_000, 16_000, 16_000, 1_535, 0]);
    expect(session.open).toBe(2);
    wire.receive(frame(WINDOW_UPDATE, 0, 0, word(20_000)));
    expect(sizes(wire, 9)).toEqual([1_535, 14_465]);
    expect(sizes(wire, 11)).toEqual([5_535]);
    wire.receive(frame(WINDOW_UPDATE, 0, 0, word(20_000)));
    expect(session.open).toBe(0);
  });

  it('gives windows back for bodies that are read, that nobody reads, and that belong to no stream any more', () => {
    const { wire, streams } = scripted({ sessionWindowBytes: 100_000 });
    wire.receive(hello());
    const data = frame(DATA, 0, 1, Buffer.alloc(16_000));
    const given = (): number =>
      wire
        .frames()
        .filter(({ type, stream }) => type === WINDOW_UPDATE && stream === 0)
        .reduce((sum, { payload }) => sum + uint32(payload, 0), 0) -
      (100_000 - 65_535);
    wire.receive(frame(FrameType.HEADERS, HEADERS, 1, block(POST)), data, data, data, data);
    expect(given()).toBe(64_000);
    streams[0]?.respond(OK_HEADERS);
    wire.receive(data, data, data, data);
    expect(given()).toBe(128_000);
    streams[0]?.reset(ErrorCode.CANCEL);
    wire.receive(data, data, data, data);
    expect(given()).toBe(192_000);
    expect(wire.goaways()).toEqual([]);
  });

  it('keeps to a stream window below that of the protocol once the client has seen it', () => {
    const { wire, log } = scripted({ streamWindowBytes: 10_000 });
    wire.receive(hello(), frame(FrameType.HEADERS, HEADERS, 1, block(POST)), frame(DATA, 0, 1, Buffer.alloc(16_000)));
    wire.receive(frame(FrameType.SETTINGS, Flag.ACK, 0), frame(FrameType.HEADERS, HEADERS, 3, block(POST)));
    expect(wire.resets()).toEqual([]);
    wire.receive(frame(DATA, 0, 3, Buffer.alloc(4_000)), frame(DATA, 0, 3, Buffer.alloc(4_000)));
    const given = wire.frames().filter(({ type, stream }) => type === WINDOW_UPDATE && stream === 3);
    expect(given.map(({ payload }) => uint32(payload, 0))).toEqual([8_000]);
    wire.receive(frame(DATA, 0, 3, Buffer.alloc(10_001)));
    expect(wire.resets()).toEqual([[3, ErrorCode.FLOW_CONTROL_ERROR]]);
    expect(log).toContain('fault flow_control');
  });

  it('takes trailers of a request for its end', () => {
    const { wire, log } = scripted();
    wire.receive(
      hello(),
      frame(FrameType.HEADERS, HEADERS, 1, block(POST)),
      frame(DATA, 0, 1, Buffer.from('ab')),
      frame(FrameType.HEADERS, LAST, 1, block([['x-checksum', '1']])),
    );
    expect(log.slice(2)).toEqual(['body 6162']);
  });

  it('throws away what still comes after an early answer, then closes the stream at its end', () => {
    const { wire, log, streams, session } = scripted();
    wire.receive(hello(), frame(FrameType.HEADERS, HEADERS, 1, block(POST)), frame(DATA, 0, 1, Buffer.from('ab')));
    streams[0]?.respond({ ':status': '200', 'grpc-status': '8' });
    expect(streams[0]?.closed).toBe(false);
    wire.receive(frame(DATA, 0, 1, Buffer.from('cd')), frame(DATA, Flag.END_STREAM, 1, Buffer.from('ef')));
    expect(log.slice(2)).toEqual(['stream closed']);
    expect(session.open).toBe(0);
    expect(wire.resets()).toEqual([]);
  });

  it('resets who sends 16 MiB after its answer, without an error, and the connection goes on', () => {
    const { wire, streams, log } = scripted({}, (stream, note) =>
      stream.headers[':path'] === '/last' ? echoing(stream) : noting(stream, note),
    );
    wire.receive(hello(), frame(FrameType.HEADERS, HEADERS, 1, block(POST)));
    streams[0]?.respond({ ':status': '200', 'grpc-status': '8' });
    const data = frame(DATA, 0, 1, Buffer.alloc(16_384));
    for (let sent = 0; sent <= 1024; sent += 1) wire.receive(data);
    expect(wire.resets()).toEqual([[1, ErrorCode.NO_ERROR]]);
    wire.receive(data, data, frame(FrameType.HEADERS, LAST, 3, block([...POST.filter(([name]) => name !== ':path'), [':path', '/last']])));
    expect(wire.frames().at(-1)).toMatchObject({ type: FrameType.HEADERS, flags: LAST, stream: 3 });
    expect(log.filter((line) => line.startsWith('fault'))).toEqual([]);
  });

  it('refuses streams while a read has brought a megabyte of answers, and takes them again after it', () => {
    const message = 'x'.repeat(1000);
    const { wire, log, streams } = scripted({}, (stream) => void stream.respond({ ':status': '200', 'grpc-message': message }));
    wire.receive(hello());
    const call = (id: number): Buffer => frame(FrameType.HEADERS, LAST, id, block(POST));
    wire.receive(...Array.from({ length: 1500 }, (_, i) => call(2 * i + 1)));
    const taken = streams.length;
    expect(taken).toBeGreaterThan(1000);
    expect(taken).toBeLessThan(1300);
    expect(wire.resets()).toHaveLength(1500 - taken);
    expect(wire.resets().at(-1)).toEqual([2999, ErrorCode.REFUSED_STREAM]);
    expect(log.filter((line) => line === 'fault refused_stream')).toHaveLength(1500 - taken);
    wire.receive(call(3001));
    expect(streams).toHaveLength(taken + 1);
  });

  it('counts what is thrown away from the answer on, however much was read before', () => {
    const { wire, streams } = scripted();
    wire.receive(hello(), frame(FrameType.HEADERS, HEADERS, 1, block(POST)));
    const data = frame(DATA, 0, 1, Buffer.alloc(16_384));
    for (let sent = 0; sent < 1100; sent += 1) wire.receive(data);
    streams[0]?.respond({ ':status': '200', 'grpc-status': '8' });
    for (let sent = 0; sent < 1000; sent += 1) wire.receive(data);
    expect(wire.resets()).toEqual([]);
  });

  it('sends an answer in parts, each as it is written, and its trailers behind what waits', () => {
    const { wire, streams, log } = scripted();
    wire.receive(hello([[Setting.INITIAL_WINDOW_SIZE, 3]]), request(1, Buffer.from('a')));
    const stream = streams[0];
    stream?.begin(OK_HEADERS);
    stream?.write(Buffer.from('12'));
    stream?.write(Buffer.from('345'));
    stream?.finish(OK_TRAILERS);
    expect(stream?.closed).toBe(false);
    wire.receive(frame(WINDOW_UPDATE, 0, 1, word(10)));
    expect(stream?.closed).toBe(true);
    expect(log.at(-1)).toBe('stream closed');
    const answer = wire.frames().filter(({ stream: id }) => id === 1);
    expect(answer.map(({ type, flags, payload }) => [type, flags, type === DATA ? payload.toString() : ''])).toEqual([
      [FrameType.HEADERS, HEADERS, ''],
      [DATA, 0, '12'],
      [DATA, 0, '3'],
      [DATA, 0, '45'],
      [FrameType.HEADERS, LAST, ''],
    ]);
  });

  it('answers with headers that take several frames', () => {
    const { wire, streams } = scripted();
    wire.receive(hello(), request(1, Buffer.from('a')));
    streams[0]?.respond({ ':status': '200', 'grpc-message': 'x'.repeat(40_000) });
    wire.receive(frame(PING, 0, 0, Buffer.alloc(8)));
    const answer = wire.frames().filter(({ stream }) => stream === 1);
    expect(answer.map(({ type, flags, payload }) => [type, flags, payload.length])).toEqual([
      [FrameType.HEADERS, Flag.END_STREAM, 16_384],
      [FrameType.CONTINUATION, 0, 16_384],
      [FrameType.CONTINUATION, Flag.END_HEADERS, expect.any(Number)],
    ]);
  });

  it('says that it keeps to a smaller HPACK table before the first block after it', () => {
    const { wire } = scripted({}, echoing);
    wire.receive(hello([[Setting.HEADER_TABLE_SIZE, 0]]), request(1, Buffer.from('a')), request(3, Buffer.from('b')));
    const firsts = wire
      .frames()
      .filter(({ type }) => type === FrameType.HEADERS)
      .map(({ payload }) => payload[0]);
    expect(firsts).toEqual([0x20, expect.any(Number), 0x88, expect.any(Number)]);
  });

  it('closes with GOAWAY when its last stream is done, and takes no new ones', async () => {
    const { wire, session, streams, log } = scripted();
    wire.receive(hello(), request(1, Buffer.from('a')));
    session.close();
    expect(session.closing).toBe(true);
    wire.receive(request(3, Buffer.from('b')));
    expect(streams).toHaveLength(1);
    expect(wire.ended).toBe(false);
    streams[0]?.respond(OK_HEADERS, Buffer.alloc(5), OK_TRAILERS);
    expect(wire.ended).toBe(true);
    expect(
      wire
        .frames()
        .find(({ type }) => type === GOAWAY)
        ?.payload.readUInt32BE(0),
    ).toBe(1);
    expect(wire.frames().at(-1)).toMatchObject({ type: FrameType.HEADERS, flags: LAST, stream: 1 });
    wire.destroy();
    expect(log.at(-1)).toBe('closed');
  });

  it('ends who opens streams without end after the GOAWAY', () => {
    const { wire, session, log } = scripted();
    wire.receive(hello(), request(1, Buffer.from('a')));
    session.close();
    const late = (from: number, count: number): Buffer =>
      Buffer.concat(Array.from({ length: count }, (_, i) => frame(FrameType.HEADERS, LAST, from + 2 * i, block(POST))));
    wire.receive(late(3, 900));
    expect(wire.ended).toBe(false);
    wire.receive(late(5001, 900));
    expect(wire.goaways()).toEqual([ErrorCode.NO_ERROR, ErrorCode.ENHANCE_YOUR_CALM]);
    expect(log).toContain('fault stray_frame_flood');
  });

  it('goes on after the first GOAWAY of two', () => {
    const { wire, session, streams } = scripted();
    wire.receive(hello());
    session.goaway(ErrorCode.NO_ERROR, 2 ** 31 - 1);
    wire.receive(request(1, Buffer.from('a')));
    expect(streams).toHaveLength(1);
    expect(session.closing).toBe(false);
  });

  it('pings, and hears the answer that belongs to the ping', () => {
    const { wire, session } = scripted();
    wire.receive(hello());
    const heard: number[] = [];
    expect(session.ping(() => heard.push(1))).toBe(true);
    expect(session.ping(() => heard.push(2))).toBe(true);
    wire.receive(frame(PING, 0, 0, Buffer.from('12345678')));
    const [first, second, answer] = wire.frames().filter(({ type }) => type === PING);
    expect(answer).toMatchObject({ flags: Flag.ACK, payload: Buffer.from('12345678') });
    wire.receive(
      frame(PING, Flag.ACK, 0, Buffer.alloc(8, 9)),
      frame(PING, Flag.ACK, 0, second?.payload),
      frame(PING, Flag.ACK, 0, first?.payload),
    );
    expect(heard).toEqual([2, 1]);
  });

  it('closes all streams, then itself, when it is destroyed or its connection goes', () => {
    for (const how of ['destroy', 'gone'] as const) {
      const { wire, session, streams, log } = scripted();
      wire.receive(hello(), request(1, Buffer.from('a')), request(3, Buffer.from('b')));
      if (how === 'destroy') session.destroy();
      else wire.destroy();
      expect(log.slice(-3)).toEqual(['stream closed', 'stream closed', 'closed']);
      expect(session).toMatchObject({ open: 0, destroyed: true, closing: true });
      expect(session.ping(() => {})).toBe(false);
      streams[0]?.respond(OK_HEADERS);
      session.destroy();
      expect(log.filter((line) => line === 'closed')).toHaveLength(1);
    }
  });

  it('is over when the client closes its side', () => {
    const { wire, log } = scripted();
    wire.receive(hello(), request(1, Buffer.from('a')));
    wire.peerEnds();
    expect(log.at(-1)).toBe('stream closed');
    expect(wire.ended).toBe(true);
  });

  it('reads no further while a client does not take its answers', () => {
    const { wire } = scripted({}, echoing);
    wire.receive(hello());
    wire.pending = 300_000;
    wire.receive(request(1, Buffer.from('a')));
    expect(wire.paused).toBe(true);
    wire.drained();
    expect(wire.paused).toBe(false);
  });

  it('gives up a client that takes nothing of its answers for the write timeout, and none that takes some', async () => {
    const { wire, log } = scripted({ writeTimeoutMs: 40 }, echoing);
    wire.receive(hello());
    wire.pending = 1;
    wire.receive(request(1, Buffer.from('a')));
    const taking = setInterval(() => {
      wire.written += 1;
    }, 5);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(wire.destroyed).toBe(false);
    clearInterval(taking);
    await vi.waitFor(() => expect(log.slice(-2)).toEqual(['fault response_unread', 'closed']));
  });

  it('ends who resets a thousand streams as soon as they are open, not who gives them up after waiting', () => {
    for (const waits of [false, true]) {
      vi.useFakeTimers({ toFake: ['performance'] });
      try {
        const { wire, log } = scripted({ maxConcurrentStreams: 2000 });
        wire.receive(hello());
        const ids = Array.from({ length: 1500 }, (_, i) => 2 * i + 1);
        wire.receive(...ids.map((id) => frame(FrameType.HEADERS, HEADERS, id, block(POST))));
        if (waits) vi.advanceTimersByTime(2000);
        wire.receive(...ids.map((id) => frame(RST_STREAM, 0, id, word(ErrorCode.CANCEL))));
        expect(wire.goaways()).toEqual(waits ? [] : [ErrorCode.ENHANCE_YOUR_CALM]);
        expect(log.filter((line) => line.startsWith('fault'))).toEqual(waits ? [] : ['fault rapid_reset']);
        expect(log.filter((line) => line === 'stream closed')).toHaveLength(1500);
      } finally {
        vi.useRealTimers();
      }
    }
  });

  it('reads the same block anew when the table has changed: what it means is not what it meant', () => {
    const { wire, streams } = scripted();
    const base = block(POST);
    const kept = (value: string): Buffer =>
      Buffer.concat([Buffer.of(0x40, 3), Buffer.from('x-a'), Buffer.of(value.length), Buffer.from(value)]);
    const newest = Buffer.concat([base, Buffer.of(0xbe)]); // the newest entry of the table
    wire.receive(hello(), frame(FrameType.HEADERS, LAST, 1, Buffer.concat([base, kept('one')])));
    wire.receive(frame(FrameType.HEADERS, LAST, 3, newest), frame(FrameType.HEADERS, LAST, 5, newest));
    wire.receive(frame(FrameType.HEADERS, LAST, 7, Buffer.concat([base, kept('two')])), frame(FrameType.HEADERS, LAST, 9, newest));
    wire.receive(frame(FrameType.HEADERS, HEADERS, 11, newest), frame(FrameType.HEADERS, LAST, 11, kept('three')));
    wire.receive(frame(FrameType.HEADERS, LAST, 13, newest));
    expect(streams.map(({ headers }) => headers['x-a'])).toEqual(['one', 'one', 'one', 'two', 'two', 'two', 'three']);
    expect(streams[2]?.headers).toBe(streams[1]?.headers);
  });

  it.each([
    ['shorter', 5, 'abcd'],
    ['longer', 3, 'abcd'],
  ])('fails on a body that is %s than its content-length', (_name, length, body) => {
    const { wire, log } = scripted();
    const headers = block([...POST, ['content-length', String(length)]]);
    wire.receive(hello(), frame(FrameType.HEADERS, HEADERS, 1, headers), frame(DATA, Flag.END_STREAM, 1, Buffer.from(body)));
    expect(wire.resets()).toEqual([[1, ErrorCode.PROTOCOL_ERROR]]);
    expect(log.slice(2)).toEqual(['fault malformed_request', 'stream closed']);
  });

  it('fails on padding as long as its frame, and takes one that is a byte shorter', () => {
    for (const [padding, codes] of [
      [3, []],
      [4, [ErrorCode.PROTOCOL_ERROR]],
    ] as const) {
      const { wire } = scripted();
      const padded = frame(DATA, Flag.PADDED, 1, Buffer.of(padding, 0, 0, 0));
      wire.receive(hello(), frame(FrameType.HEADERS, HEADERS, 1, block(POST)), padded);
      expect(wire.goaways()).toEqual(codes);
    }
  });

  it('takes a window for each of a thousand calls that wait, as the C core of gRPC sends them, and not without end', () => {
    const { wire } = scripted({ maxConcurrentStreams: 1000 });
    const ids = Array.from({ length: 1000 }, (_, i) => 2 * i + 1);
    wire.receive(hello(), ...ids.map((id) => frame(FrameType.HEADERS, HEADERS, id, block(POST))));
    const windows = Buffer.concat(ids.map((id) => frame(WINDOW_UPDATE, 0, id, word(1))));
    for (let turn = 0; turn < 8; turn += 1) wire.receive(windows);
    expect(wire.goaways()).toEqual([]);
    for (let turn = 0; turn < 16; turn += 1) wire.receive(windows);
    expect(wire.goaways()).toEqual([ErrorCode.ENHANCE_YOUR_CALM]);
  });

  it('gives headers as they came, whatever their names mean to JavaScript', () => {
    const names = ['__proto__', 'constructor', 'tostring', 'hasownproperty', 'then'];
    const { wire, streams } = scripted();
    wire.receive(hello(), frame(FrameType.HEADERS, LAST, 1, block([...POST, ...names.map((name) => [name, `of ${name}`] as const)])));
    for (const name of names) expect(streams[0]?.headers[name]).toBe(`of ${name}`);
    expect(Object.keys(streams[0]?.headers ?? {})).toEqual([...POST.map(([name]) => name), ...names]);
    wire.receive(frame(FrameType.HEADERS, LAST, 3, block(POST)));
    for (const name of names) expect(streams[1]?.headers[name]).toBeUndefined();
  });

  it('tells the reader of a stream that was answered on the spot that it is closed', () => {
    const { wire, log } = scripted({}, (stream, note) => {
      stream.respond(OK_HEADERS);
      return noting(stream, note);
    });
    wire.receive(hello(), frame(FrameType.HEADERS, LAST, 1, block(POST)));
    expect(log.slice(2)).toEqual(['stream closed']);
  });

  it('closes a stream that the client has reset, once', () => {
    const { wire, log, session } = scripted();
    wire.receive(hello(), request(1, Buffer.from('a')), frame(RST_STREAM, 0, 1, word(ErrorCode.CANCEL)));
    wire.receive(frame(RST_STREAM, 0, 1, word(ErrorCode.CANCEL)));
    expect(log.filter((line) => line === 'stream closed')).toHaveLength(1);
    expect(session.open).toBe(0);
  });
});

/** Frames that make sense, more often than not. */
const id = fc.constantFrom(1, 1, 3, 3, 5, 7, 0, 2);
const bytes = fc.uint8Array({ maxLength: 60 });
const anyFrame = fc.oneof(
  fc.tuple(id, fc.boolean()).map(([stream, last]) => frame(FrameType.HEADERS, last ? LAST : HEADERS, stream, block(POST))),
  fc.tuple(id, fc.nat({ max: 40 })).map(([stream, cut]) => {
    const fields = block(POST);
    return Buffer.concat([
      frame(FrameType.HEADERS, 0, stream, fields.subarray(0, cut)),
      frame(FrameType.CONTINUATION, Flag.END_HEADERS, stream, fields.subarray(cut)),
    ]);
  }),
  fc.tuple(id, bytes, fc.boolean()).map(([stream, body, last]) => frame(DATA, last ? Flag.END_STREAM : 0, stream, body)),
  fc
    .tuple(id, bytes, fc.nat({ max: 20 }))
    .map(([stream, body, pad]) => frame(DATA, Flag.PADDED, stream, Buffer.concat([Buffer.of(pad), body, Buffer.alloc(pad)]))),
  fc.constant(frame(PING, 0, 0, Buffer.alloc(8, 7))),
  id.map((stream) => frame(RST_STREAM, 0, stream, word(8))),
  fc.tuple(id, fc.nat()).map(([stream, more]) => frame(WINDOW_UPDATE, 0, stream, word(more))),
  fc.nat({ max: 100_000 }).map((window) => settingsFrame([[Setting.INITIAL_WINDOW_SIZE, window]])),
  fc
    .tuple(fc.nat({ max: 255 }), fc.nat({ max: 255 }), id, bytes)
    .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload)),
);

/** What is seen of a connection: events and frames. Windows are given back when they are half used, which cuts do not change. */
function seen(run: (wire: ReturnType<typeof scripted>['wire']) => void): unknown {
  const { wire, log } = scripted({}, (stream, note) => {
    const reader = noting(stream, note);
    const answer = echoing(stream);
    return {
      data: (data) => {
        reader.data(data);
        answer.data(data);
      },
      end: () => {
        reader.end();
        answer.end();
      },
      closed: () => reader.closed(),
    };
  });
  run(wire);
  return { log, frames: wire.frames(), ended: wire.ended };
}

describe('any bytes', () => {
  it('mean the same wherever they are cut', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 }), (frames, cuts) => {
        const all = Buffer.concat([hello(), ...frames]);
        const whole = seen((wire) => wire.receive(all));
        const cut = seen((wire) => {
          for (let at = 0, i = 0; at < all.length; i += 1) {
            const length = cuts[i % cuts.length] as number;
            wire.receive(all.subarray(at, at + length));
            at += length;
          }
        });
        expect(cut).toEqual(whole);
      }),
      { numRuns: 1500 },
    );
  });

  it('neither throw nor hang, and end in a closed session', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anyFrame, bytes), { maxLength: 12 }), (frames) => {
        const { wire, log } = scripted({}, echoing);
        wire.receive(hello());
        for (const one of frames) wire.receive(one);
        wire.destroy();
        expect(log.filter((line) => line === 'closed')).toHaveLength(1);
      }),
      { numRuns: 1500 },
    );
  });
});

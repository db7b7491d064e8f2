import { describe, expect, it, vi } from 'vitest';
import { Flag, FrameType, Setting } from '../../../agent/http2/frames.ts';
import { ErrorCode } from '../../../agent/http2/server.ts';
import {
  block,
  echoing,
  flushed,
  frame,
  HEADERS,
  hello,
  LAST,
  OK_HEADERS,
  OK_TRAILERS,
  POST,
  request,
  scripted,
  word,
} from './script-wire.ts';

const { DATA, WINDOW_UPDATE, PING } = FrameType;

describe('answers of an HTTP/2 session', () => {
  it('answers all requests of one read with one write', async () => {
    const { wire } = scripted({}, echoing);
    await flushed();
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
    await flushed();
    const { writes } = wire;
    for (const stream of streams) stream.respond(OK_HEADERS, Buffer.alloc(5), OK_TRAILERS);
    await flushed();
    expect(wire.writes).toBe(writes + 1);
  });

  it('keeps what connections send apart, when their answers are made in turns', async () => {
    const sessions = [scripted(), scripted(), scripted()];
    for (const { wire } of sessions) wire.receive(hello(), request(1, Buffer.from('a')), request(3, Buffer.from('b')));
    for (const n of [0, 1]) {
      for (const [i, { streams }] of sessions.entries()) streams[n]?.respond(OK_HEADERS, Buffer.from(`${i} ${n}`), OK_TRAILERS);
    }
    await flushed();
    for (const [i, { wire }] of sessions.entries()) {
      expect(
        wire
          .frames()
          .filter(({ type }) => type === DATA)
          .map(({ payload }) => payload.toString()),
      ).toEqual([`${i} 0`, `${i} 1`]);
    }
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
});

import { describe, expect, it, vi } from 'vitest';
import { Flag, FrameType } from '../../../agent/http2/frames.ts';
import { ErrorCode } from '../../../agent/http2/server.ts';
import { block, echoing, frame, HEADERS, hello, LAST, noting, OK_HEADERS, POST, request, scripted, word } from './script-wire.ts';

const { DATA, RST_STREAM } = FrameType;

describe('requests of an HTTP/2 session', () => {
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

  it('counts what is thrown away from the answer on, however much was read before', () => {
    const { wire, streams } = scripted();
    wire.receive(hello(), frame(FrameType.HEADERS, HEADERS, 1, block(POST)));
    const data = frame(DATA, 0, 1, Buffer.alloc(16_384));
    for (let sent = 0; sent < 1100; sent += 1) wire.receive(data);
    streams[0]?.respond({ ':status': '200', 'grpc-status': '8' });
    for (let sent = 0; sent < 1000; sent += 1) wire.receive(data);
    expect(wire.resets()).toEqual([]);
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

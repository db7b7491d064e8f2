import { describe, expect, it } from 'vitest';
import { Flag, FrameType } from '../../../agent/http2/frames.ts';
import { ErrorCode } from '../../../agent/http2/server.ts';
import { block, flushed, frame, hello, LAST, OK_HEADERS, OK_TRAILERS, POST, request, scripted } from './script-wire.ts';

const { WINDOW_UPDATE, PING, GOAWAY } = FrameType;

describe('an HTTP/2 session', () => {
  it('begins with its settings and its window, and acknowledges those of the client', async () => {
    const { wire, log } = scripted();
    await flushed();
    expect(wire.frames().map(({ type, flags }) => [type, flags])).toEqual([
      [FrameType.SETTINGS, 0],
      [WINDOW_UPDATE, 0],
    ]);
    wire.receive(hello());
    expect(wire.frames().at(-1)).toMatchObject({ type: FrameType.SETTINGS, flags: Flag.ACK });
    expect(log).toEqual(['ready']);
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
});

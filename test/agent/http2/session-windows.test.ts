import { describe, expect, it } from 'vitest';
import { Flag, FrameType, Setting, uint32 } from '../../../agent/http2/frames.ts';
import { ErrorCode } from '../../../agent/http2/server.ts';
import { block, echoing, frame, HEADERS, hello, LAST, OK_HEADERS, POST, request, scripted, settingsFrame, word } from './script-wire.ts';

const { DATA, WINDOW_UPDATE } = FrameType;

/** Lengths of the DATA frames that were sent on a stream. */
const sizes = (wire: ReturnType<typeof scripted>['wire'], id: number): number[] =>
  wire
    .frames()
    .filter((one) => one.type === DATA && one.stream === id)
    .map((one) => one.payload.length);

describe('windows of an HTTP/2 session', () => {
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
});

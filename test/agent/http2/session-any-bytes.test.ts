import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flag, FrameType, Setting } from '../../../agent/http2/frames.ts';
import { block, echoing, frame, HEADERS, hello, LAST, noting, POST, scripted, settingsFrame, word } from './script-wire.ts';

const { DATA, WINDOW_UPDATE, RST_STREAM, PING } = FrameType;

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

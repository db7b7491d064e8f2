import { describe, expect, it, vi } from 'vitest';
import { Flag, FrameType } from '../../../agent/http2/frames.ts';
import { ErrorCode } from '../../../agent/http2/server.ts';
import { block, echoing, frame, HEADERS, hello, LAST, POST, request, type Scripted, scripted } from './script-wire.ts';

const TIMEOUT_MS = 1000;

/** A session whose clock stands still until `pass`, which sweeps as the receiver does. */
function timed(run: (session: Scripted, pass: (ms: number) => void) => void, frameTimeoutMs = TIMEOUT_MS): void {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    vi.advanceTimersByTime(5000); // a process has been up for a while when a client comes
    const made = scripted({ frameTimeoutMs }, echoing);
    made.wire.receive(hello());
    run(made, (ms) => {
      vi.advanceTimersByTime(ms);
      made.session.sweep(performance.now());
    });
  } finally {
    vi.useRealTimers();
  }
}

const faults = ({ log }: Scripted): string[] => log.filter((line) => line.startsWith('fault'));

describe('a frame or header block that is not finished', () => {
  const head = frame(FrameType.HEADERS, HEADERS, 1, block(POST));

  it('may take its time, and not more', () => {
    timed((made, pass) => {
      made.wire.receive(head.subarray(0, 30));
      pass(TIMEOUT_MS);
      expect(faults(made)).toEqual([]);
      pass(2);
      expect(faults(made)).toEqual(['fault frame_timeout']);
      expect(made.wire.goaways()).toEqual([ErrorCode.ENHANCE_YOUR_CALM]);
      expect(made.wire.ended).toBe(true);
    });
  });

  it('has one time for its head and its payload, and for a block and its CONTINUATION', () => {
    const begun = frame(FrameType.HEADERS, 0, 1, block(POST));
    const more = frame(FrameType.CONTINUATION, 0, 1, block([['a', 'b']]));
    for (const parts of [
      [head.subarray(0, 4), head.subarray(4, 12), head.subarray(12, 20)],
      [begun, more, more.subarray(0, 10)],
    ]) {
      timed((made, pass) => {
        for (const part of parts) {
          made.wire.receive(part);
          pass(400);
        }
        expect(faults(made)).toEqual(['fault frame_timeout']);
      });
    }
  });

  it('is over when its end comes: what is cut next has a time of its own', () => {
    timed((made, pass) => {
      for (let id = 1; id < 20; id += 2) {
        const whole = Buffer.concat([
          frame(FrameType.HEADERS, 0, id, block(POST)),
          frame(FrameType.CONTINUATION, Flag.END_HEADERS, id, block([['a', 'b']])),
          frame(FrameType.DATA, Flag.END_STREAM, id, Buffer.from('body')),
        ]);
        for (let at = 0; at < whole.length; at += 20) {
          made.wire.receive(whole.subarray(at, at + 20));
          pass(100);
        }
        pass(10 * TIMEOUT_MS);
      }
      expect(faults(made)).toEqual([]);
      expect(made.streams).toHaveLength(10);
      expect(made.session.open).toBe(0);
    });
  });

  it('is not DATA, of which nothing waits here, nor its padding', () => {
    for (const flags of [0, Flag.PADDED]) {
      timed((made, pass) => {
        const data = frame(FrameType.DATA, flags, 1, Buffer.from([5, 1, 2, 3, 4, 0, 0, 0, 0, 0]));
        made.wire.receive(head, data.subarray(0, 9));
        for (let at = 9; at < data.length; at += 1) {
          pass(2 * TIMEOUT_MS);
          made.wire.receive(data.subarray(at, at + 1));
        }
        expect(faults(made)).toEqual([]);
      });
    }
  });

  it('is not laid to a client that we do not read, until we do again', () => {
    timed((made, pass) => {
      const { wire } = made;
      wire.pending = 300_000;
      wire.receive(request(1, Buffer.from('a')), frame(FrameType.HEADERS, LAST, 3, block(POST)).subarray(0, 30));
      expect(wire.paused).toBe(true);
      pass(5 * TIMEOUT_MS);
      wire.drained();
      pass(TIMEOUT_MS);
      expect(faults(made)).toEqual([]);
      pass(1);
      expect(faults(made)).toEqual(['fault frame_timeout']);
    });
  });

  it('is waited for without end where there is no timeout, and ends a session once', () => {
    timed((made, pass) => {
      made.wire.receive(head.subarray(0, 30));
      pass(3_600_000);
      expect(faults(made)).toEqual([]);
    }, 0);
    timed((made, pass) => {
      made.wire.receive(head.subarray(0, 30));
      pass(2 * TIMEOUT_MS);
      pass(2 * TIMEOUT_MS);
      made.session.destroy();
      pass(2 * TIMEOUT_MS);
      expect(faults(made)).toEqual(['fault frame_timeout']);
    });
  });
});

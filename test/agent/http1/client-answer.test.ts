import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerReader, BROKEN, MORE } from '../../../agent/http1/client-answer.ts';
import { ANSWERS, type AnswerCase } from './client-answers.ts';
import { cut, MAX_ANSWER_BYTES } from './client-server.ts';

const SEED = Number(process.env.FC_SEED ?? 20_261_121);
/** Every read lands in the same memory, as those of a socket do. */
const SHARED = Buffer.alloc(64 * 1024);

interface Read {
  readonly is: 'answer' | 'broken' | 'unfinished';
  readonly status?: number;
  readonly type?: string;
  readonly retryAfter?: string | undefined;
  readonly body?: string | undefined;
  readonly reusable?: boolean;
  readonly problem?: string;
}

function read(reader: AnswerReader, pieces: readonly Buffer[], ends: boolean): Read {
  reader.reset();
  let left = 0;
  let end = MORE;
  for (const [i, piece] of pieces.entries()) {
    SHARED.fill(0xee);
    piece.copy(SHARED);
    end = reader.read(SHARED.subarray(0, piece.length), 0);
    if (end === BROKEN) return { is: 'broken', problem: reader.problem };
    if (end === MORE) continue;
    left = piece.length - end + pieces.slice(i + 1).reduce((sum, { length }) => sum + length, 0);
    break;
  }
  if (end === MORE && !(ends && reader.end())) return { is: 'unfinished' };
  const { status, type, retryAfter, body, reusable } = reader;
  return { is: 'answer', status, type, retryAfter, body: body?.toString('latin1'), reusable: reusable && left === 0 };
}

const whole = ({ bytes, ends }: AnswerCase): Read => {
  const text = Buffer.from(bytes, 'latin1');
  return read(new AnswerReader(MAX_ANSWER_BYTES), text.length === 0 ? [] : [text], ends === true);
};

describe('an answer', () => {
  it.each(ANSWERS)('$name', (one) => {
    const found = whole(one);
    if (one.is instanceof RegExp) {
      const problem =
        found.is === 'broken'
          ? `the answer is broken: ${found.problem}`
          : 'the connection ended inside of the answer, or before the answer';
      expect(found.is).not.toBe('answer');
      if (one.ends !== true || found.is === 'broken') expect(problem).toMatch(one.is);
    } else expect(found).toMatchObject({ is: 'answer', ...one.is, reusable: one.reusable ?? false });
  });

  it.each(ANSWERS)('byte by byte: $name', (one) => {
    const bytes = Buffer.from(one.bytes, 'latin1');
    const found = read(
      new AnswerReader(MAX_ANSWER_BYTES),
      Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)),
      one.ends === true,
    );
    expect(found).toEqual(whole(one));
  });

  it(`is the same however it is cut (seed ${SEED})`, () => {
    const reader = new AnswerReader(MAX_ANSWER_BYTES);
    fc.assert(
      fc.property(fc.constantFrom(...ANSWERS), fc.array(fc.nat(), { maxLength: 12 }), (one, places) => {
        const pieces = cut(Buffer.from(one.bytes, 'latin1'), places);
        // The same reader again and again: nothing of the answer before is left in it.
        expect(read(reader, pieces, one.ends === true)).toEqual(whole(one));
      }),
      { seed: SEED, numRuns: 3000 },
    );
  });

  it(`that is any bytes ends in no exception, and takes no more memory than is allowed (seed ${SEED})`, () => {
    const part = fc.oneof(
      fc.constantFrom(
        'HTTP/1.1 200 OK\r\n',
        '\r\n',
        'Content-Length: 7\r\n',
        'Transfer-Encoding: chunked\r\n',
        '5\r\nhello\r\n',
        '0\r\n',
        'X: y\r\n',
      ),
      fc.constantFrom(
        'HTTP/1.0 204 N\r\n',
        'Connection: close\r\n',
        'HTTP/1.1 100 C\r\n\r\n',
        '3e8\r\n',
        'ffff\r\n',
        'Keep-Alive: timeout=5\r\n',
      ),
      fc.string({ maxLength: 20, unit: 'binary-ascii' }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 6 }), fc.boolean(), (parts, places, ends) => {
        const bytes = Buffer.from(parts.join(''), 'latin1');
        const reader = new AnswerReader(MAX_ANSWER_BYTES);
        const found = read(reader, cut(bytes, places), ends);
        expect(found).toEqual(read(new AnswerReader(MAX_ANSWER_BYTES), bytes.length === 0 ? [] : [bytes], ends));
        expect(reader.body?.length ?? 0).toBeLessThanOrEqual(2 * MAX_ANSWER_BYTES + 1024);
      }),
      { seed: SEED, numRuns: 5000 },
    );
  });

  it('that is told in chunks of a byte takes no more than its bytes', () => {
    const reader = new AnswerReader(4 * 1024 * 1024);
    const head = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect(reader.read(head, 0)).toBe(MORE);
    const chunks = Buffer.from('1\r\nx\r\n'.repeat(10_000));
    for (let i = 0; i < 20; i += 1) expect(reader.read(chunks, 0)).toBe(MORE);
    expect(reader.read(Buffer.from('0\r\n\r\n'), 0)).toBe(5);
    expect(reader.body?.length).toBe(200_000);
    expect(reader.body?.buffer.byteLength).toBeLessThanOrEqual(2 * 200_000);
  });

  it('says for how long its server keeps the connection', () => {
    const kept = (value: string): number | undefined => {
      const reader = new AnswerReader(MAX_ANSWER_BYTES);
      reader.read(Buffer.from(`HTTP/1.1 200 OK\r\nKeep-Alive: ${value}\r\nContent-Length: 0\r\n\r\n`), 0);
      return reader.keepAliveMs;
    };
    expect(['timeout=5', 'max=100, Timeout=7', 'timeout=0', 'max=3', 'xtimeout=4', 'timeout=x'].map(kept)).toEqual([
      5000,
      7000,
      0,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

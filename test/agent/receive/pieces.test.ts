import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Pieces } from '../../../agent/receive/pieces.ts';
import { finish, startAgent, until } from '../kit/agent.ts';
import { request } from '../kit/otlp.ts';
import { grpcExporter } from '../kit/settings.ts';
import { grpcSink } from '../kit/sink.ts';

afterEach(() => vi.restoreAllMocks());

/** How many buffers are kept: each is copied once when they are joined. */
function joined(pieces: Pieces, bytes: number): { readonly body: Buffer; readonly kept: number } {
  const body = Buffer.alloc(bytes);
  const copies = vi.spyOn(Buffer.prototype, 'copy');
  pieces.joinInto(body);
  const kept = copies.mock.calls.length;
  copies.mockRestore();
  return { body, kept };
}

describe('pieces of a body', () => {
  it('are the body, however it was cut and whatever memory they lie in, and hold what they say', () => {
    const seed = Date.now() & 0x7fffffff;
    console.log(`seed ${seed}`);
    const piece = fc.record({
      bytes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 200_000 })),
      around: fc.constantFrom(0, 1, 60_000),
      value: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (list) => {
        const pieces = new Pieces();
        const cut = list.map(({ bytes, around, value }) =>
          Buffer.alloc(bytes + around, value).subarray(around >> 1, (around >> 1) + bytes),
        );
        for (const one of cut) pieces.add(one);
        const whole = Buffer.concat(cut);
        expect(joined(pieces, whole.length).body.equals(whole)).toBe(true);
        expect(pieces.held).toBeGreaterThanOrEqual(whole.length);
        expect(pieces.held).toBeLessThanOrEqual(2 * whole.length + 64 * 1024 + 4 * 1024);
      }),
      { seed, numRuns: 200 },
    );
  });

  it('of one byte are few objects, however many there are', () => {
    const pieces = new Pieces();
    const read = Buffer.alloc(64 * 1024, 7);
    for (let i = 0; i < 1_000_000; i += 1) pieces.add(read.subarray(i & 0xffff, (i & 0xffff) + 1));
    const { body, kept } = joined(pieces, 1_000_000);
    expect(body.equals(Buffer.alloc(1_000_000, 7))).toBe(true);
    expect(kept).toBeLessThan(30);
  });

  it('that are large and have their memory to themselves are kept as they came', () => {
    const pieces = new Pieces();
    for (let i = 0; i < 4; i += 1) pieces.add(Buffer.alloc(64 * 1024, i));
    expect([joined(pieces, 256 * 1024).kept, pieces.held]).toEqual([4, 256 * 1024]);
  });
});

it('a body in chunks of one byte is charged while it comes, and arrives', async () => {
  const sink = await grpcSink();
  const running = await startAgent({ exporters: [grpcExporter(sink.port)] });
  const body = request('traces', 20);
  const socket = connect(running.httpPort, '127.0.0.1');
  let got = '';
  socket.on('data', (data) => {
    got += data.toString('latin1');
  });
  const chunks = [...body].map((byte) => Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]));
  const head = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n';
  socket.write(Buffer.concat([Buffer.from(head), ...chunks.slice(0, -1)]));
  await until(() => running.agent.heldBytes >= 2 * (body.length - 1));
  socket.write(Buffer.concat([chunks.at(-1) as Buffer, Buffer.from('0\r\n\r\n')]));
  await until(() => got.startsWith('HTTP/1.1 200') && running.agent.books().total.sent === 20);
  socket.destroy();
  await finish(running);
  expect(sink.received.map((one) => one.body.equals(body))).toEqual([true]);
  await sink.close();
});

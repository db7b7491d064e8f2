/** Answers lie in memory that is used again: a byte may change only when nobody reads it any more. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameType, HEAD_BYTES, PREFACE, putHead, putUint32, uint31 } from '../../../agent/http2/frames.ts';
import { Output } from '../../../agent/http2/output.ts';
import { createServerSession } from '../../../agent/http2/server-session.ts';
import { socketWire, type Wire } from '../../../agent/runtime/wire.ts';
import { until } from '../kit/agent.ts';

/** Keeps what it is given, as a socket that waits does, and reads it when it is let. */
class HoldingWire implements Wire {
  readonly destroyed = false;
  readonly written = 0;
  /** Takes nothing for now. */
  waits = false;
  /** Reads at once and keeps the buffers nevertheless, as a stream of JavaScript may. */
  keeps = false;
  #held: Uint8Array[] = [];
  #read: Buffer[] = [];

  write(bytes: Uint8Array): boolean {
    this.#held.push(bytes);
    if (this.waits || this.keeps) return false;
    this.drain();
    return true;
  }

  writeAll(list: readonly Uint8Array[]): boolean {
    return list.map((bytes) => this.write(bytes)).at(-1) ?? false;
  }

  drain(): void {
    for (const bytes of this.#held) this.#read.push(Buffer.from(bytes));
    this.#held = [];
  }

  get pending(): number {
    return this.waits ? this.#held.reduce((sum, { length }) => sum + length, 0) : 0;
  }

  all(): Buffer {
    this.drain();
    return Buffer.concat(this.#read);
  }

  start(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
  handOn(): Duplex {
    throw new Error('nobody hands it on');
  }
}

const seed = Math.floor(Math.random() * 2 ** 31);

describe('what connections send', () => {
  it('is what they wrote, in its order, whichever sockets wait, keep or take', () => {
    console.log(`seed ${seed}`);
    const step = fc.record({
      who: fc.nat({ max: 3 }),
      claims: fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20_000 })), { minLength: 1, maxLength: 6 }),
      flush: fc.boolean(),
      next: fc.constantFrom('', 'waits', 'drains', 'keeps', 'takes'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ends = Array.from({ length: 4 }, () => {
          const wire = new HoldingWire();
          return { wire, output: new Output(wire), wrote: [] as number[] };
        });
        let value = 0;
        for (const { who, claims, flush, next } of steps) {
          const { wire, output, wrote } = ends[who] as (typeof ends)[number];
          output.hold();
          for (const length of claims) {
            const at = output.claim(length);
            value = (value + 1) % 251;
            output.bytes.fill(value, at, at + length);
            for (let i = 0; i < length; i += 1) wrote.push(value);
          }
          if (flush) output.flush();
          if (next === 'waits') wire.waits = true;
          else if (next === 'keeps') wire.keeps = true;
          else if (next === 'takes') wire.keeps = false;
          if (next === 'drains' || !wire.waits) {
            wire.waits = false;
            if (!wire.keeps) wire.drain();
          }
        }
        for (const { wire, output, wrote } of ends) {
          output.flush();
          expect(wire.all().equals(Buffer.from(wrote))).toBe(true);
        }
      }),
      { seed, numRuns: 200 },
    );
  });

  it('lies in one slab for all connections where their sockets take it at once', () => {
    const [one, other] = [new Output(new HoldingWire()), new Output(new HoldingWire())];
    for (const output of [one, other]) {
      // The first tells how the socket behaves.
      output.claim(100);
      output.flush();
    }
    const memory = [one, other, one].map((output) => {
      // A read that brings no answer changes nothing.
      output.hold();
      output.flush();
      output.claim(100);
      const { buffer } = output.bytes;
      output.flush();
      expect(output.bytes.length).toBe(0);
      return buffer;
    });
    expect(new Set(memory).size).toBe(1);
  });

  it('lies in small slabs of the connection where its stream keeps what it is given, as TLS may', () => {
    const wire = new HoldingWire();
    wire.keeps = true;
    const output = new Output(wire);
    const memory = Array.from({ length: 5 }, () => {
      output.claim(100);
      const { buffer } = output.bytes;
      output.flush();
      return buffer;
    });
    expect([new Set(memory).size, memory[0]?.byteLength]).toEqual([1, 1024]);
  });

  it('fills a slab before the next where the socket waits: 16 KiB beside what waits are the most that it keeps', () => {
    const wire = new HoldingWire();
    wire.waits = true;
    const output = new Output(wire);
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 1000; i += 1) {
      output.claim(100);
      memory.add(output.bytes.buffer);
      output.flush();
    }
    const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(bytes).toBeLessThan((100_000 * 4) / 3 + 16 * 1024);
  });
});

const BODY_BYTES = 8 * 1024;
const STREAMS_AT_ONCE = 50;

/** A client of the protocol's bytes that reads when it is told. */
class Client {
  readonly socket: Socket;
  sent = 0;
  #read: Buffer[] = [];

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('error', () => {});
    const windows = Buffer.alloc(HEAD_BYTES + 6 + HEAD_BYTES + 4);
    putHead(windows, 0, 6, FrameType.SETTINGS, 0, 0);
    windows[HEAD_BYTES + 1] = 4; // INITIAL_WINDOW_SIZE
    putUint32(windows, HEAD_BYTES + 2, 2 ** 31 - 1);
    putHead(windows, HEAD_BYTES + 6, 4, FrameType.WINDOW_UPDATE, 0, 0);
    putUint32(windows, 2 * HEAD_BYTES + 6, 2 ** 31 - 1 - 65_535);
    this.socket.write(Buffer.concat([PREFACE, windows]));
  }

  /** So many requests without a body. */
  ask(streams: number): void {
    const out = Buffer.alloc(streams * (HEAD_BYTES + 3));
    for (let i = 0; i < streams; i += 1, this.sent += 1) {
      const at = i * (HEAD_BYTES + 3);
      putHead(out, at, 3, FrameType.HEADERS, 0x5, 2 * this.sent + 1);
      out.set([0x83, 0x86, 0x84], at + HEAD_BYTES);
    }
    this.socket.write(out);
  }

  read(): void {
    this.socket.on('data', (bytes) => this.#read.push(bytes));
  }

  /** How many bodies have come whole; throws where one is not what was answered. */
  bodies(): number {
    const bytes = Buffer.concat(this.#read);
    this.#read = [bytes];
    let bodies = 0;
    for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
      const end = at + HEAD_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      if (bytes[at + 3] === FrameType.DATA) {
        bodies += 1;
        const stream = uint31(bytes, at + 5);
        expect(stream).toBe(2 * bodies - 1);
        expect(bytes.subarray(at + HEAD_BYTES, end).equals(Buffer.alloc(BODY_BYTES, stream % 251))).toBe(true);
      }
      at = end;
    }
    return bodies;
  }
}

describe('answers on sockets', () => {
  it('are right for who reads late, and for all who read while it does not', async () => {
    const wires: Wire[] = [];
    const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
      const wire = socketWire(socket);
      wires.push(wire);
      const options = { maxConcurrentStreams: 1000, streamWindowBytes: 1 << 20, sessionWindowBytes: 1 << 20, maxHeaderBytes: 16_384 };
      let stream = -1;
      createServerSession(wire, options, {
        stream: (one) => {
          stream += 2;
          one.respond({ ':status': '200' }, Buffer.alloc(BODY_BYTES, stream % 251));
          return undefined;
        },
        ready: () => {},
        ping: () => {},
        fault: (name) => {
          throw new Error(name);
        },
        closed: () => {},
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const late = new Client(port);
    await until(() => wires.length === 1);
    const lateWire = wires[0] as Wire;
    while (lateWire.pending === 0) {
      const { written } = lateWire;
      late.ask(STREAMS_AT_ONCE);
      await until(() => lateWire.written >= written + STREAMS_AT_ONCE * BODY_BYTES || lateWire.pending > 0);
    }
    const prompt = new Client(port);
    prompt.read();
    for (let calls = 1; calls <= 100; calls += 1) {
      prompt.ask(1);
      await until(() => prompt.bodies() === calls);
    }
    late.read();
    await until(() => late.bodies() === late.sent);
    for (const { socket } of [late, prompt]) socket.destroy();
    server.close();
    await once(server, 'close');
  });
});

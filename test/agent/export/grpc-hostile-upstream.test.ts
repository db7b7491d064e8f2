import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OtlpGrpcExporterSettings } from '../../../agent/config/settings.ts';
import { Flag, FrameType, PREFACE, Setting } from '../../../agent/http2/frames.ts';
import { ErrorCode } from '../../../agent/http2/server.ts';
import { frame, goaway, headers, reset, settings, windowUpdate } from '../http2/kit/raw-server.ts';
import { grpcExporter, QUEUE, RETRY } from '../kit/settings.ts';
import { deliverTo, type Ledger, namesOf } from './support/hostile.ts';

/** Of one connection; with what one sends in so many it floods nobody. */
const MOST_TURNS = 2000;
const SETTLE_EVERY = 40;

interface Call {
  readonly id: number;
  readonly parts: Buffer[];
  /** The answer has begun: nothing else is done to the call. */
  answering: boolean;
  whole: boolean;
}

const GREETINGS = [
  [Setting.INITIAL_WINDOW_SIZE, [0, 1, 100, 65_535, 1_000_000]],
  [Setting.MAX_CONCURRENT_STREAMS, [0, 1, 3, 100]],
  [Setting.MAX_FRAME_SIZE, [16_384, 20_000, 1_000_000]],
  [Setting.HEADER_TABLE_SIZE, [0, 100, 4096, 65_536]],
  [Setting.MAX_HEADER_LIST_SIZE, [100, 1_000_000]],
] as const;

/**
 * One connection of a server that does by chance all that a server may do, and nothing that takes an answer back: an answer that was
 * written on a connection which ends orderly, or goes on, is one that the client gets.
 */
class Hostile {
  readonly #socket: Socket;
  readonly #random: () => number;
  readonly #ledger: Ledger;
  readonly #calls = new Map<number, Call>();
  #bytes: Buffer = Buffer.alloc(0);
  #preface = PREFACE.length;
  #last = 0;
  /** Nothing is answered any more: what comes is above the last stream of a GOAWAY, or the connection is at its end. */
  #above = 2 ** 31 - 1;
  #answered = false;
  #ended = false;
  calm = false;

  constructor(socket: Socket, random: () => number, ledger: Ledger) {
    this.#socket = socket;
    this.#random = random;
    this.#ledger = ledger;
    socket.on('error', () => {});
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('end', () => this.#end());
    socket.on('close', () => {
      this.#ended = true;
    });
    this.#send(settings(...GREETINGS.filter(() => this.#chance(0.5)).map(([name, values]) => [name, this.#pick(values)] as const)));
    void this.#live();
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  #send(...parts: readonly Buffer[]): void {
    if (this.#ended) return;
    const bytes = Buffer.concat(parts);
    if (!this.#chance(0.2)) {
      this.#socket.write(bytes);
      return;
    }
    const at = Math.floor(this.#random() * bytes.length);
    this.#socket.write(bytes.subarray(0, at));
    this.#socket.write(bytes.subarray(at));
  }

  /** In order: what was written before comes. */
  #end(): void {
    this.#ended = true;
    this.#socket.end();
  }

  /** Something every now and then, and always windows in the end. */
  async #live(): Promise<void> {
    for (let turn = 0; !this.#ended; turn += 1) {
      await sleep(1);
      if (!this.calm) this.#act();
      else if (turn % SETTLE_EVERY === 0) this.#settle();
      for (const call of this.#calls.values())
        if (!this.#ended && call.whole && !call.answering && this.#chance(this.calm ? 1 : 0.3)) this.#answer(call);
      if (turn > MOST_TURNS) this.#end();
    }
  }

  /** All may come now. */
  #settle(): void {
    this.#send(
      settings([Setting.INITIAL_WINDOW_SIZE, 1_000_000], [Setting.MAX_CONCURRENT_STREAMS, 100]),
      windowUpdate(0, 1_000_000),
      ...[...this.#calls.values()].filter((call) => !call.whole).map(({ id }) => windowUpdate(id, 10_000)),
    );
  }

  #act(): void {
    const calls = [...this.#calls.values()].filter((call) => !call.answering);
    const some = calls.length > 0 && this.#chance(0.7) ? this.#pick(calls) : undefined;
    const dice = this.#random();
    if (dice < 0.3) this.#send(windowUpdate(0, 1 + Math.floor(this.#random() * 200_000)));
    else if (dice < 0.5 && some !== undefined) this.#send(windowUpdate(some.id, 1 + Math.floor(this.#random() * 100_000)));
    else if (dice < 0.58) this.#send(settings([Setting.INITIAL_WINDOW_SIZE, this.#pick([0, 10, 65_535, 500_000])]));
    else if (dice < 0.64) this.#send(settings([Setting.MAX_CONCURRENT_STREAMS, this.#pick([0, 1, 2, 50])]));
    else if (dice < 0.67) this.#send(settings([Setting.HEADER_TABLE_SIZE, this.#pick([0, 50, 8192])], [Setting.HEADER_TABLE_SIZE, 1000]));
    else if (dice < 0.7) this.#send(frame(FrameType.PING, 0, 0, Buffer.from('pingping')));
    else if (dice < 0.72) this.#send(frame(0x77, 0xff, 0, Buffer.from('of an extension')));
    else if (dice < 0.76 && some !== undefined) this.#refuse(some);
    else if (dice < 0.79 && some !== undefined) this.#early(some);
    else if (dice < 0.795) this.#goaway();
    else if (dice < 0.798) this.#end();
    else if (dice < 0.8 && !this.#answered) {
      this.#ended = true;
      this.#socket.resetAndDestroy();
    }
  }

  /** REFUSED_STREAM: not looked at. Any other code: nobody knows, and we do not take it. */
  #refuse(call: Call): void {
    this.#calls.delete(call.id);
    this.#send(reset(call.id, this.#pick([ErrorCode.REFUSED_STREAM, ErrorCode.INTERNAL_ERROR, ErrorCode.CANCEL, ErrorCode.NO_ERROR])));
  }

  /** A status that may be sent again, before the request is whole as it happens. */
  #early(call: Call): void {
    call.answering = true;
    this.#calls.delete(call.id);
    this.#send(headers(call.id, { ':status': '200', 'grpc-status': '14', 'grpc-message': 'later' }, true));
    if (this.#chance(0.5)) this.#send(reset(call.id, ErrorCode.NO_ERROR));
  }

  /** Names a stream in the middle of those that are open; what is above is not answered. */
  #goaway(): void {
    const ids = [0, ...this.#calls.keys(), this.#last];
    this.#above = Math.min(this.#above, this.#pick(ids));
    for (const call of this.#calls.values()) if (call.answering) this.#above = Math.max(this.#above, call.id);
    for (const id of [...this.#calls.keys()]) if (id > this.#above) this.#calls.delete(id);
    this.#send(goaway(this.#above, this.#pick([ErrorCode.NO_ERROR, ErrorCode.ENHANCE_YOUR_CALM, ErrorCode.INTERNAL_ERROR])));
  }

  #answer(call: Call): void {
    call.answering = true;
    const names = namesIn(Buffer.concat(call.parts));
    const { id } = call;
    if (!this.calm && this.#chance(0.15)) {
      this.#calls.delete(id);
      this.#send(headers(id, { ':status': '503' }), frame(FrameType.DATA, Flag.END_STREAM, id, Buffer.from('<h1>no</h1>')));
      return;
    }
    this.#answered = true;
    const interim = this.#chance(0.1) ? [headers(id, { ':status': '103' })] : [];
    const padded = frame(FrameType.DATA, Flag.PADDED, id, Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0]));
    const body = this.#chance(0.5) ? padded : frame(FrameType.DATA, 0, id, Buffer.alloc(5));
    const trailers = headers(id, { 'grpc-status': '0', 'x-long': 'v'.repeat(Math.floor(this.#random() * 300)) }, true);
    const pieces = [...interim, headers(id, { ':status': '200', 'content-type': 'application/grpc' }), body];
    const end = (): void => {
      if (this.#ended) return;
      this.#calls.delete(id);
      this.#ledger.take(names);
      this.#send(trailers);
    };
    if (this.#chance(0.5)) {
      this.#send(...pieces);
      end();
      return;
    }
    this.#send(...pieces);
    setTimeout(end, Math.floor(this.#random() * 5));
  }

  #read(bytes: Buffer): void {
    let all = Buffer.concat([this.#bytes, bytes]);
    const skipped = Math.min(this.#preface, all.length);
    this.#preface -= skipped;
    all = all.subarray(skipped);
    while (all.length >= 9 && all.length >= 9 + all.readUIntBE(0, 3)) {
      const length = all.readUIntBE(0, 3);
      this.#frame(all[3] as number, all[4] as number, all.readUInt32BE(5), all.subarray(9, 9 + length));
      all = all.subarray(9 + length);
    }
    this.#bytes = Buffer.from(all);
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === FrameType.HEADERS) {
      if (id <= this.#last) this.#ledger.wrong.push(`stream ${id} after ${this.#last}`);
      this.#last = id;
      if (id <= this.#above) this.#calls.set(id, { id, parts: [], answering: false, whole: false });
    } else if (type === FrameType.DATA) {
      const call = this.#calls.get(id);
      if (call === undefined) return;
      call.parts.push(Buffer.from(payload));
      if ((flags & Flag.END_STREAM) === 0) return;
      call.whole = true;
      this.#ledger.came(namesIn(Buffer.concat(call.parts)));
    } else if (type === FrameType.RST_STREAM) this.#calls.delete(id);
    else if (type === FrameType.PING && (flags & Flag.ACK) === 0) this.#send(frame(FrameType.PING, Flag.ACK, 0, Buffer.from(payload)));
    else if (type === FrameType.GOAWAY && payload.readUInt32BE(4) !== 0)
      this.#ledger.wrong.push(`the client has failed the connection: ${payload.subarray(8).toString()}`);
  }
}

/** Of the spans in a message with its prefix. */
function namesIn(message: Buffer): string[] {
  expect(message.readUInt32BE(1)).toBe(message.length - 5);
  return namesOf(message.subarray(5));
}

const BATCH = { flushTimeoutMs: 5, minSize: 4, maxSize: 0, sizer: 'items' } as const;

/** node:http2 gives up a connection whose GOAWAY has an error code, with all that would still be answered on it. */
const exporterTo = (more: Partial<OtlpGrpcExporterSettings>) => (port: number) =>
  grpcExporter(port, { http2Codec: 'own', timeoutMs: 60_000, retry: { ...RETRY, initialIntervalMs: 2, maxIntervalMs: 10 }, ...more });

describe('a next hop that does by chance all that HTTP/2 lets it', () => {
  const seed = Date.now() & 0x7fffffff;
  it.each<[string, Partial<OtlpGrpcExporterSettings>]>([
    ['a request for each', {}],
    ['merged requests', { queue: { ...QUEUE, batch: BATCH } }],
    ['several connections', { connections: { max: 3, idleTimeoutMs: 50 } }],
  ])('gets every span, and none again that it has taken: %s', async (_what, exporter) => {
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(fc.integer(), (one) => deliverTo((...given) => new Hostile(...given), one, exporterTo(exporter))),
      { seed, numRuns: Number(process.env.OTLP_STACK_RUNS ?? 4), endOnFailure: true },
    );
  });
});

import type { Wire } from '../runtime/wire.ts';
import { DEFAULT_FRAME_BYTES, DEFAULT_WINDOW_BYTES, Flag, FrameType, putHead, putUint32, Setting } from './frames.ts';
import {
  type Budget,
  CHATTER_PER_REQUEST,
  chatterBudget,
  FAREWELL_MS,
  MAX_DISCARD_MS,
  MAX_DISCARDED_BYTES,
  MAX_PINGS,
  MAX_REMEMBERED_RESETS,
  RESETS_PER_ANSWER,
  resetBudget,
} from './limits.ts';
import { Output } from './output.ts';
import { ErrorCode, type ServerSession, type SessionEvents, type SessionOptions } from './server.ts';
import type { Discard, Stream } from './stream.ts';
import { StreamTable } from './stream-table.ts';
import { Unsent } from './unsent.ts';

const EMPTY_TABLE = 0x20; // dynamic table size update to 0 (RFC 7541, 6.3)

/** What a connection is between two frames: its streams, its windows, what it owes and what it has left of its budgets. */
export class Connection implements ServerSession {
  readonly wire: Wire;
  readonly events: SessionEvents;
  readonly options: SessionOptions;
  readonly output: Output;
  readonly unsent: Unsent;
  readonly streams = new StreamTable();
  /** Streams that we have reset while their client was sending. */
  readonly forgotten = new Set<number>();
  /** Streams with something to send that the connection's window keeps back, in their order. */
  readonly blocked = new Set<Stream>();
  readonly resets = resetBudget();
  readonly chatter: Budget;
  /** No frame is taken any more. */
  over = false;
  closing = false;
  destroyed = false;
  /** The highest stream that the client has opened, and how many it has: fewer where it has left some out. */
  lastStream = 0;
  openedStreams = 0;
  /** The highest that we have taken, and say so when we close. */
  lastTaken = 0;
  receiveWindow = DEFAULT_WINDOW_BYTES;
  /** Of a stream when it opens: until the client has seen our SETTINGS it may use the protocol's window. */
  streamWindow: number;
  sendWindow = DEFAULT_WINDOW_BYTES;
  peerStreamWindow = DEFAULT_WINDOW_BYTES;
  peerFrameBytes = DEFAULT_FRAME_BYTES;
  /** The client has lowered its HPACK table: the next block has to say that we keep to it (RFC 7541, 4.2). */
  tableUpdateDue = false;
  /** When the read that is under way came: seconds, as nothing here needs it finer, and small integers cost a stream the least. */
  second = 0;
  /** Since when a frame or a header block is begun and not finished, `performance.now()`; 0 where none is. Of who reads them. */
  unfinishedSince: () => number = () => 0;
  /** When it was last seen that we do not read: what is not finished then may be our doing. */
  #notReadAt = 0;
  /** Of answers that wait for windows. */
  queuedBytes = 0;
  #pings: { readonly number: number; readonly answered: () => void }[] = [];
  #pingCount = 0;
  /** Answered streams whose requests go on, the oldest first. */
  readonly #discarding = new Map<Stream, Discard>();
  #discardTimer: NodeJS.Timeout | undefined;
  #farewellTimer: NodeJS.Timeout | undefined;
  #gone = false;

  constructor(wire: Wire, options: SessionOptions, events: SessionEvents) {
    this.wire = wire;
    this.options = options;
    this.events = events;
    this.unsent = new Unsent(wire, options.writeTimeoutMs ?? 0, () => this.#giveUp());
    this.output = new Output(wire, this.unsent);
    this.chatter = chatterBudget(options.maxConcurrentStreams);
    this.streamWindow = Math.max(options.streamWindowBytes, DEFAULT_WINDOW_BYTES);
  }

  get open(): number {
    return this.streams.size;
  }

  /** Our SETTINGS, and the window of the connection, which is no setting. */
  greet(): void {
    const { maxConcurrentStreams, streamWindowBytes, sessionWindowBytes, maxHeaderBytes } = this.options;
    const settings = [
      [Setting.MAX_CONCURRENT_STREAMS, maxConcurrentStreams],
      [Setting.INITIAL_WINDOW_SIZE, streamWindowBytes],
      [Setting.MAX_HEADER_LIST_SIZE, maxHeaderBytes],
    ] as const;
    const payload = new Uint8Array(settings.length * 6);
    for (const [i, [name, value]] of settings.entries()) {
      payload[i * 6 + 1] = name;
      putUint32(payload, i * 6 + 2, value);
    }
    this.output.control(FrameType.SETTINGS, 0, payload, 0, payload.length);
    const more = sessionWindowBytes - DEFAULT_WINDOW_BYTES;
    if (more > 0) {
      this.output.windowUpdate(0, more);
      this.receiveWindow += more;
    }
  }

  ping(answered: () => void): boolean {
    if (this.over || this.#pings.length >= MAX_PINGS) return false;
    this.#pingCount += 1;
    const payload = new Uint8Array(8);
    putUint32(payload, 4, this.#pingCount);
    this.#pings.push({ number: this.#pingCount, answered });
    this.output.control(FrameType.PING, 0, payload, 0, 8);
    return true;
  }

  /** The answer to the ping of that number; one that nobody sent is ignored. */
  pinged(number: number): void {
    const ping = this.#pings.find((one) => one.number === number);
    if (ping === undefined) return;
    this.#pings = this.#pings.filter((one) => one !== ping);
    ping.answered();
  }

  goaway(code: number, lastStream: number, debug = ''): void {
    if (!this.over) this.output.goaway(code, lastStream, debug);
  }

  close(): void {
    if (this.closing || this.over) return;
    this.closing = true;
    this.output.goaway(ErrorCode.NO_ERROR, this.lastTaken, '');
    if (this.streams.size === 0) this.#hangUp();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.#abandon();
    this.destroyed = true;
    this.wire.destroy();
  }

  sweep(now: number): void {
    const { frameTimeoutMs = 0 } = this.options;
    if (this.over || frameTimeoutMs <= 0) return;
    if (this.unsent.paused) this.#notReadAt = now;
    const since = this.unfinishedSince();
    // No code is for a frame that does not end: ENHANCE_YOUR_CALM is for what costs us without reason (RFC 9113, 10.5).
    if (since > 0 && now - Math.max(since, this.#notReadAt) > frameTimeoutMs) this.fail(ErrorCode.ENHANCE_YOUR_CALM, 'frame_timeout');
  }

  /** A connection error (RFC 9113, 5.4.1): GOAWAY, and the end. */
  fail(code: number, fault: string): void {
    if (this.over) return;
    this.events.fault(fault);
    if (this.over) return;
    this.output.goaway(code, this.lastTaken, fault);
    this.#hangUp();
  }

  fault(name: string): void {
    this.events.fault(name);
  }

  /** The client has closed its side: nobody is there to be answered. */
  ended(): void {
    if (!this.over) this.#hangUp();
  }

  /** The wire is closed. */
  gone(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#abandon();
    this.destroyed = true;
    clearTimeout(this.#farewellTimer);
    this.unsent.stop();
    this.events.closed();
  }

  /** A stream error (RFC 9113, 5.4.2) that the client has caused: too many of them end the connection. */
  refuse(id: number, ended: boolean, code: number, fault: string): void {
    this.events.fault(fault);
    if (this.over) return;
    if (!this.resets.spend()) {
      this.fail(ErrorCode.ENHANCE_YOUR_CALM, 'rapid_reset');
      return;
    }
    const stream = this.streams.get(id);
    if (stream !== undefined) {
      this.resetStream(stream, code);
      return;
    }
    this.output.reset(id, code);
    if (!ended) this.forget(id);
  }

  resetStream(stream: Stream, code: number): void {
    if (stream.closed) return;
    this.output.reset(stream.id, code);
    if (!stream.ended) this.forget(stream.id);
    this.closeStream(stream);
  }

  /** Frames of this stream that are on their way are no error. */
  forget(id: number): void {
    this.forgotten.add(id);
    if (this.forgotten.size <= MAX_REMEMBERED_RESETS) return;
    for (const oldest of this.forgotten) {
      this.forgotten.delete(oldest);
      break;
    }
  }

  /** END_STREAM is sent. */
  answered(stream: Stream): void {
    this.resets.earn(RESETS_PER_ANSWER);
    this.chatter.earn(CHATTER_PER_REQUEST);
    if (stream.ended) this.closeStream(stream);
    else this.#discard(stream);
  }

  closeStream(stream: Stream): void {
    if (stream.closed) return;
    stream.closed = true;
    this.streams.remove(stream.id);
    if (this.blocked.size > 0) this.blocked.delete(stream);
    if (stream.discard !== undefined) this.#discarding.delete(stream);
    stream.drop();
    stream.reader?.closed();
    if (this.closing && this.streams.size === 0 && !this.over) this.#hangUp();
  }

  /** The window of the connection has opened. */
  sendBlocked(): void {
    for (const stream of this.blocked) {
      if (this.sendWindow <= 0) return;
      this.blocked.delete(stream);
      stream.sendQueued();
    }
  }

  /** A block that does not go into one frame, or that has to speak of the table first. */
  sendLongHeaders(id: number, block: Uint8Array, flags: number): void {
    let left = block;
    if (this.tableUpdateDue) {
      this.tableUpdateDue = false;
      left = Uint8Array.of(EMPTY_TABLE, ...block);
    }
    for (let type: number = FrameType.HEADERS; ; type = FrameType.CONTINUATION) {
      const length = Math.min(left.length, this.peerFrameBytes);
      const last = length === left.length ? Flag.END_HEADERS : 0;
      const at = this.output.claim(9 + length);
      putHead(this.output.bytes, at, length, type, last | (type === FrameType.HEADERS ? flags : 0), id);
      this.output.bytes.set(left.subarray(0, length), at + 9);
      if (last !== 0) return;
      left = left.subarray(length);
    }
  }

  /** Answered before the request was complete: most clients stop by themselves when they see it, and are given the time. */
  #discard(stream: Stream): void {
    stream.discard = { until: performance.now() + MAX_DISCARD_MS, bytes: stream.received + MAX_DISCARDED_BYTES };
    this.#discarding.set(stream, stream.discard);
    this.#discardTimer ??= setTimeout(() => this.#stopDiscarding(), MAX_DISCARD_MS).unref();
  }

  #stopDiscarding(): void {
    this.#discardTimer = undefined;
    const now = performance.now();
    for (const [stream, { until }] of this.#discarding) {
      const left = until - now;
      if (left > 1) {
        this.#discardTimer = setTimeout(() => this.#stopDiscarding(), left).unref();
        return;
      }
      this.resetStream(stream, ErrorCode.NO_ERROR);
    }
  }

  #giveUp(): void {
    this.events.fault('response_unread');
    this.destroy();
  }

  /** Sends what there is, and gives the client some time to take it and to hang up. */
  #hangUp(): void {
    this.#abandon();
    this.output.flush();
    this.wire.end();
    this.#awaitFarewell(-1);
  }

  #awaitFarewell(written: number): void {
    if (this.#gone) return;
    this.#farewellTimer = setTimeout(() => {
      const moved = this.wire.written;
      if (this.wire.pending > 0 && moved !== written) this.#awaitFarewell(moved);
      else this.destroy();
    }, FAREWELL_MS).unref();
  }

  /** No frames any more, and no streams. */
  #abandon(): void {
    this.over = true;
    this.closing = true;
    clearTimeout(this.#discardTimer);
    for (const stream of this.streams.all()) this.closeStream(stream);
    this.#pings = [];
    if (this.destroyed || this.#gone) this.output.release();
  }
}

import type { Connection } from './connection.ts';
import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_TABLE_BYTES,
  Flag,
  FrameType,
  MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  Setting,
  uint31,
  uint32,
} from './frames.ts';
import { MAX_SETTINGS, RAPID_SECONDS } from './limits.ts';
import { ErrorCode } from './server.ts';

const NO_PAYLOAD = new Uint8Array(0);
const SETTING_BYTES = 6;

/** Frames of the connection, and those that steer streams: everything but HEADERS, CONTINUATION and DATA. */
export class ControlFrames {
  readonly #connection: Connection;
  #peerTableBytes = DEFAULT_TABLE_BYTES;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  frame(type: number, flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    switch (type) {
      case FrameType.WINDOW_UPDATE:
        this.#windowUpdate(stream, bytes, from, to);
        break;
      case FrameType.RST_STREAM:
        this.#rstStream(stream, to - from);
        break;
      case FrameType.PING:
        this.#ping(flags, stream, bytes, from, to);
        break;
      case FrameType.SETTINGS:
        this.settings(flags, stream, bytes, from, to);
        break;
      case FrameType.PRIORITY:
        this.#priority(stream, bytes, from, to);
        break;
      case FrameType.GOAWAY:
        this.#goaway(stream, bytes, from, to);
        break;
      case FrameType.PUSH_PROMISE:
        this.#protocolError(); // a client cannot push (RFC 9113, 8.4)
        break;
      default:
        this.chatter('stray_frame_flood'); // types of extensions are ignored (RFC 9113, 5.5)
    }
  }

  /** A frame that does nothing for a request. False where there were too many, and the connection has ended. */
  chatter(fault: string): boolean {
    if (this.#connection.chatter.spend()) return true;
    this.#connection.fail(ErrorCode.ENHANCE_YOUR_CALM, fault);
    return false;
  }

  settings(flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    const ack = (flags & Flag.ACK) !== 0;
    if (stream !== 0) {
      this.#protocolError();
      return;
    }
    if ((to - from) % SETTING_BYTES !== 0 || (ack && to > from)) {
      this.#sizeError();
      return;
    }
    if (!this.chatter('settings_flood')) return;
    if (ack) {
      connection.streamWindow = connection.options.streamWindowBytes;
      return;
    }
    if (to - from > MAX_SETTINGS * SETTING_BYTES) {
      connection.fail(ErrorCode.ENHANCE_YOUR_CALM, 'settings_flood');
      return;
    }
    // The last value counts: each change of the window would be a walk over all streams.
    let window = connection.peerStreamWindow;
    for (let at = from; at < to; at += SETTING_BYTES) {
      const name = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      const value = uint32(bytes, at + 2) >>> 0;
      if (name === Setting.INITIAL_WINDOW_SIZE) {
        if (value > MAX_WINDOW_BYTES) {
          connection.fail(ErrorCode.FLOW_CONTROL_ERROR, 'flow_control');
          return;
        }
        window = value;
      } else if (name === Setting.MAX_FRAME_SIZE) {
        if (value < DEFAULT_FRAME_BYTES || value > MAX_FRAME_BYTES) {
          this.#protocolError();
          return;
        }
        connection.peerFrameBytes = value;
      } else if (name === Setting.ENABLE_PUSH) {
        if (value > 1) {
          this.#protocolError();
          return;
        }
      } else if (name === Setting.HEADER_TABLE_SIZE) {
        if (value < this.#peerTableBytes) connection.tableUpdateDue = true;
        this.#peerTableBytes = value;
      }
    }
    connection.output.control(FrameType.SETTINGS, Flag.ACK, NO_PAYLOAD, 0, 0);
    if (window !== connection.peerStreamWindow) this.#resizeWindows(window);
  }

  /** RFC 9113, 6.9.2: streams that are open get the difference, and may be below 0 then. */
  #resizeWindows(window: number): void {
    const connection = this.#connection;
    const more = window - connection.peerStreamWindow;
    connection.peerStreamWindow = window;
    for (const stream of connection.streams.all()) {
      stream.sendWindow += more;
      if (stream.sendWindow > MAX_WINDOW_BYTES) {
        connection.fail(ErrorCode.FLOW_CONTROL_ERROR, 'flow_control');
        return;
      }
    }
    if (more <= 0) return;
    for (const stream of connection.streams.all()) if (stream.sendWindow > 0) stream.sendQueued();
  }

  #windowUpdate(id: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    if (to - from !== 4) {
      this.#sizeError();
      return;
    }
    if (id > connection.lastStream || (id !== 0 && id % 2 === 0)) {
      this.#protocolError();
      return;
    }
    const more = uint31(bytes, from);
    if (id === 0) {
      if (more === 0) {
        this.#protocolError();
        return;
      }
      connection.sendWindow += more;
      if (connection.sendWindow > MAX_WINDOW_BYTES) {
        connection.fail(ErrorCode.FLOW_CONTROL_ERROR, 'flow_control');
        return;
      }
      if (this.chatter('window_flood') && connection.blocked.size > 0) connection.sendBlocked();
      return;
    }
    const stream = connection.streams.get(id);
    if (stream === undefined) {
      this.chatter('window_flood'); // it may have been sent before the client knew
      return;
    }
    if (more === 0) {
      connection.refuse(id, false, ErrorCode.PROTOCOL_ERROR, 'protocol');
      return;
    }
    stream.sendWindow += more;
    if (stream.sendWindow > MAX_WINDOW_BYTES) {
      connection.refuse(id, false, ErrorCode.FLOW_CONTROL_ERROR, 'flow_control');
      return;
    }
    if (this.chatter('window_flood')) stream.sendQueued();
  }

  #rstStream(id: number, length: number): void {
    const connection = this.#connection;
    if (length !== 4) {
      this.#sizeError();
      return;
    }
    if (id % 2 === 0 || id > connection.lastStream) {
      this.#protocolError();
      return;
    }
    const stream = connection.streams.get(id);
    if (stream === undefined) {
      connection.forgotten.delete(id);
      this.chatter('stray_frame_flood');
      return;
    }
    // Work was begun and is not wanted: as often as a client likes, it would cost it nothing (CVE-2023-44487). Who has waited for the
    // answer and gives up is no attacker: a thousand calls may reach their deadlines at once while the next hop is away.
    const rapid = !stream.answered && connection.second - stream.openedSecond < RAPID_SECONDS;
    if (rapid && !connection.resets.spend()) {
      connection.fail(ErrorCode.ENHANCE_YOUR_CALM, 'rapid_reset');
      return;
    }
    connection.closeStream(stream);
  }

  #ping(flags: number, stream: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    if (stream !== 0) {
      this.#protocolError();
      return;
    }
    if (to - from !== 8) {
      this.#sizeError();
      return;
    }
    if (!this.chatter('ping_flood')) return;
    if ((flags & Flag.ACK) !== 0) {
      connection.pinged(uint32(bytes, from) === 0 ? uint32(bytes, from + 4) : 0);
      return;
    }
    connection.output.control(FrameType.PING, Flag.ACK, bytes, from, 8);
    connection.events.ping();
  }

  /** Ignored (RFC 9113, 5.3.2), but for what is an error in itself. */
  #priority(id: number, bytes: Uint8Array, from: number, to: number): void {
    const connection = this.#connection;
    if (id === 0) {
      this.#protocolError();
      return;
    }
    const known = connection.streams.get(id) !== undefined;
    if (to - from !== 5) {
      if (known) connection.refuse(id, false, ErrorCode.FRAME_SIZE_ERROR, 'frame_size');
      else this.#sizeError(); // no RST_STREAM for a stream that is idle
      return;
    }
    if (!this.chatter('priority_flood') || uint31(bytes, from) !== id) return;
    if (known) connection.refuse(id, false, ErrorCode.PROTOCOL_ERROR, 'protocol');
    else this.#protocolError();
  }

  /** What is open goes on, and with the last of it the connection. */
  #goaway(stream: number, bytes: Uint8Array, from: number, to: number): void {
    if (stream !== 0) {
      this.#protocolError();
      return;
    }
    if (to - from < 8) {
      this.#sizeError();
      return;
    }
    if (!this.chatter('stray_frame_flood')) return;
    if (uint32(bytes, from + 4) === ErrorCode.NO_ERROR) this.#connection.close();
    else this.#connection.ended();
  }

  #protocolError(): void {
    this.#connection.fail(ErrorCode.PROTOCOL_ERROR, 'protocol');
  }

  #sizeError(): void {
    this.#connection.fail(ErrorCode.FRAME_SIZE_ERROR, 'frame_size');
  }
}

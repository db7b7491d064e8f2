import { call, plain } from './kit/hpack.ts';
import {
  ACK,
  continuation,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  headers,
  PADDED,
  PREFACE,
  PRIORITY_FLAG,
  ping,
  priority,
  SETTING,
  settings,
  TYPE,
  uint32,
  wholeCall,
  windowUpdate,
} from './kit/raw-client.ts';
import { type HostileCase, hostileCases } from './kit/target.ts';

/** Frames that are wrong by themselves, whatever came before: RFC 9113, 4 to 6. */

const PROTOCOL = 'connection PROTOCOL_ERROR';
const SIZE = 'connection FRAME_SIZE_ERROR';
const bytes = (length: number): Buffer => Buffer.alloc(length);
const CLIENT_HELLO = Buffer.from('1603010200010001fc0303', 'hex');

const one = (what: string, expected: HostileCase['expect'], ...parts: readonly Buffer[]): HostileCase => ({
  what,
  expect: expected,
  send: (client) => client.send(...parts),
});
/** As `one`, where node:http2 is known to make something else of it. */
const known = (node: string, what: string, expected: HostileCase['expect'], ...parts: readonly Buffer[]): HostileCase => ({
  ...one(what, expected, ...parts),
  node,
});
const opening = (what: string, expected: HostileCase['expect'], ...parts: readonly Buffer[]): HostileCase => ({
  ...one(what, expected, ...parts),
  silent: true,
});

hostileCases('the beginning of a connection', [
  {
    what: 'is taken byte by byte',
    silent: true,
    expect: 'answered',
    async send(client) {
      client.acknowledges = false;
      for (const byte of Buffer.concat([PREFACE, settings(), wholeCall(1)])) {
        client.send(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
  opening('fails as HTTP/1.1', ['closed', PROTOCOL], Buffer.from('POST / HTTP/1.1\r\nhost: x\r\n\r\n')),
  opening('fails as the ClientHello of TLS', ['closed', PROTOCOL], CLIENT_HELLO),
  opening('fails as garbage', ['closed', PROTOCOL], Buffer.alloc(1000, 0xa5)),
  // node:http2 sends GOAWAY with INTERNAL_ERROR wherever nghttp2 gives up without a code of its own.
  opening(
    'fails with the second half of the preface wrong',
    ['closed', PROTOCOL, 'connection INTERNAL_ERROR'],
    PREFACE.subarray(0, 20),
    Buffer.from('XXXX'),
    settings(),
  ),
  opening('fails with another frame than SETTINGS first', PROTOCOL, PREFACE, wholeCall(1)),
  opening('fails with the acknowledgement of SETTINGS first', PROTOCOL, PREFACE, frame(TYPE.SETTINGS, ACK, 0)),
]);

hostileCases('SETTINGS', [
  one('fail with a body in the acknowledgement', SIZE, frame(TYPE.SETTINGS, ACK, 0, bytes(6))),
  one('fail with a size that is no multiple of 6', SIZE, frame(TYPE.SETTINGS, 0, 0, bytes(7))),
  one('fail on a stream', PROTOCOL, frame(TYPE.SETTINGS, 0, 1, bytes(0))),
  one('fail with ENABLE_PUSH of 2', PROTOCOL, settings([SETTING.ENABLE_PUSH, 2])),
  one('fail with a window above 2^31-1', 'connection FLOW_CONTROL_ERROR', settings([SETTING.INITIAL_WINDOW, 2 ** 31])),
  one('fail with frames below 16384', PROTOCOL, settings([SETTING.MAX_FRAME, 16_383])),
  one('fail with frames above 2^24-1', PROTOCOL, settings([SETTING.MAX_FRAME, 2 ** 24])),
  one('of a kind that nobody knows are ignored', 'answered', settings([0xfff0, 7]), wholeCall(1)),
  one(
    'of all kinds, ten times over, are taken',
    'answered',
    ...Array.from({ length: 10 }, (_, i) => settings(...[1, 3, 4, 6].map((id) => [id, 4096 + i] as const))),
    wholeCall(1),
  ),
]);

hostileCases('a frame of a fixed size', [
  one('fails as PING of 7 bytes', SIZE, frame(TYPE.PING, 0, 0, bytes(7))),
  one('fails as PING of 9 bytes', SIZE, frame(TYPE.PING, 0, 0, bytes(9))),
  one('fails as PING on a stream', PROTOCOL, frame(TYPE.PING, 0, 1, bytes(8))),
  one('fails as RST_STREAM of 3 bytes', SIZE, headers(1), frame(TYPE.RST_STREAM, 0, 1, bytes(3))),
  one('fails as RST_STREAM of 5 bytes', SIZE, headers(1), frame(TYPE.RST_STREAM, 0, 1, bytes(5))),
  one('fails as RST_STREAM of the connection', PROTOCOL, frame(TYPE.RST_STREAM, 0, 0, bytes(4))),
  one('fails as WINDOW_UPDATE of 3 bytes', SIZE, frame(TYPE.WINDOW_UPDATE, 0, 0, bytes(3))),
  one('fails as WINDOW_UPDATE of 5 bytes', SIZE, frame(TYPE.WINDOW_UPDATE, 0, 0, bytes(5))),
  one('fails as PRIORITY of 4 bytes', ['stream FRAME_SIZE_ERROR', SIZE], headers(1), frame(TYPE.PRIORITY, 0, 1, bytes(4))),
  // nghttp2 1.6x has no priorities any more (RFC 9113, 5.3.2) and does not look at these frames.
  known('taken', 'fails as PRIORITY of the connection', PROTOCOL, frame(TYPE.PRIORITY, 0, 0, bytes(5))),
  one('fails as GOAWAY of 7 bytes', SIZE, frame(TYPE.GOAWAY, 0, 0, bytes(7))),
  one('fails as GOAWAY on a stream', PROTOCOL, frame(TYPE.GOAWAY, 0, 1, bytes(8))),
]);

hostileCases('a frame above 16384 bytes', [
  one('fails as DATA', [SIZE, 'stream FRAME_SIZE_ERROR'], headers(1), data(1, bytes(16_385))),
  one('fails as HEADERS', SIZE, frame(TYPE.HEADERS, END_HEADERS, 1, bytes(16_385))),
  // nghttp2 has begun to decode what is before it, and finds the block broken first.
  known('connection COMPRESSION_ERROR', 'fails as CONTINUATION', SIZE, headers(1, call(), 0), continuation(1, bytes(16_385))),
  one('fails as SETTINGS', SIZE, frame(TYPE.SETTINGS, 0, 0, bytes(16_386))),
  one('fails as GOAWAY', SIZE, frame(TYPE.GOAWAY, 0, 0, bytes(16_385))),
  one('fails as PING', SIZE, frame(TYPE.PING, 0, 0, bytes(16_385))),
  one('fails as a frame of an unknown type', SIZE, frame(0xbb, 0, 0, bytes(16_385))),
  one('fails by its length alone, before its bytes have come', SIZE, Buffer.from('ffffff000000000001', 'hex')),
]);

hostileCases('a frame that a client may not send', [
  one('fails as PUSH_PROMISE', PROTOCOL, headers(1), frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, uint32(2))),
  one('fails as CONTINUATION of nothing', PROTOCOL, continuation(1, call())),
  one('fails as CONTINUATION after END_HEADERS', PROTOCOL, headers(1), continuation(1, plain('a', 'b'))),
  one('fails as DATA of the connection', PROTOCOL, data(0, bytes(5))),
  one('fails as HEADERS of the connection', PROTOCOL, headers(0)),
  one('is ignored where its type is unknown', 'answered', frame(0xbb, 0xff, 0, bytes(20)), frame(0xbc, 0xff, 77, bytes(0)), wholeCall(1)),
  // node: ERR_HTTP2_PING_... "unexpected PING acknowledgement" ends the session.
  known(
    'connection INTERNAL_ERROR',
    'is ignored as PING that answers nothing',
    'answered',
    frame(TYPE.PING, ACK, 0, bytes(8)),
    wholeCall(1),
  ),
  one(
    'may have flags that nobody knows',
    'answered',
    frame(TYPE.HEADERS, END_HEADERS | 0xd2, 1, call()),
    data(1, bytes(5), END_STREAM | 0xf6),
  ),
  one('may have the reserved bit of its stream set', 'answered', headers(0x8000_0001), data(0x8000_0001, bytes(5))),
]);

const padded = (length: number, body: Buffer, padding = 0): Buffer => Buffer.concat([Buffer.from([length]), body, bytes(padding)]);

/** With 256 bytes of padding for each: 10 MB, and the windows are 4 and 8 MiB. */
const PADDED_BYTES = 40_000;

hostileCases('padding', [
  one('fails as long as the frame of DATA', PROTOCOL, headers(1), frame(TYPE.DATA, PADDED, 1, padded(6, bytes(5)))),
  one('fails longer than the frame of DATA', PROTOCOL, headers(1), frame(TYPE.DATA, PADDED, 1, padded(255, bytes(5)))),
  one('fails longer than the frame of HEADERS', PROTOCOL, frame(TYPE.HEADERS, PADDED | END_HEADERS, 1, padded(255, plain('a', 'b')))),
  one(
    'fails without a byte that says its length, in DATA',
    [PROTOCOL, SIZE, 'stream FRAME_SIZE_ERROR'],
    headers(1),
    frame(TYPE.DATA, PADDED, 1),
  ),
  one('fails without a byte that says its length, in HEADERS', [PROTOCOL, SIZE], frame(TYPE.HEADERS, PADDED | END_HEADERS, 1)),
  one(
    'is thrown away',
    'answered',
    frame(TYPE.HEADERS, PADDED | END_HEADERS, 1, padded(200, call(), 200)),
    frame(TYPE.DATA, PADDED, 1, padded(5, bytes(0), 5)),
    frame(TYPE.DATA, PADDED | END_STREAM, 1, padded(255, bytes(5), 255)),
  ),
  {
    what: 'of more bytes than all windows has its room given back',
    expect: 'answered',
    async send(client) {
      // A message of zeros, which is no OTLP, byte by byte.
      const prefix = bytes(5);
      prefix.writeUInt32BE(PADDED_BYTES, 1);
      client.send(headers(1), data(1, prefix, 0));
      const one = frame(TYPE.DATA, PADDED, 1, padded(255, bytes(1), 255));
      let allowed = [0, 0];
      for (let i = 0; i < PADDED_BYTES; i += 1) {
        // Within the windows that were announced, as an honest client counts: a server that forgets padding stops it for ever.
        if (i % 1000 === 0) {
          const updates = (stream: number): number =>
            client.frames
              .filter((f) => f.type === TYPE.WINDOW_UPDATE && f.stream === stream)
              .reduce((sum, f) => sum + f.payload.readUInt32BE(0), 0);
          await client.until(() => {
            const first = client.frames.find((f) => f.type === TYPE.SETTINGS && f.payload.length > 0);
            const at = first === undefined ? -1 : settingOf(first.payload, SETTING.INITIAL_WINDOW);
            allowed = [(at < 0 ? 65_535 : at) + updates(1), 65_535 + updates(0)];
            return first !== undefined && Math.min(...allowed) >= 5 + (i + 1000) * 257;
          });
        }
        client.send(one);
      }
      client.send(data(1, bytes(0)));
    },
  },
]);

function settingOf(payload: Buffer, id: number): number {
  for (let at = 0; at < payload.length; at += 6) if (payload.readUInt16BE(at) === id) return payload.readUInt32BE(at + 2);
  return -1;
}

hostileCases('priority', [
  one(
    'fails on itself in HEADERS',
    ['stream PROTOCOL_ERROR', PROTOCOL],
    frame(TYPE.HEADERS, PRIORITY_FLAG | END_HEADERS | END_STREAM, 1, Buffer.concat([uint32(1), Buffer.from([1]), call()])),
  ),
  known('taken', 'fails on itself in PRIORITY', ['stream PROTOCOL_ERROR', PROTOCOL], headers(1), priority(1, 1)),
  one('fails in HEADERS that are too short for it', [SIZE, PROTOCOL], frame(TYPE.HEADERS, PRIORITY_FLAG | END_HEADERS, 1, bytes(4))),
  one(
    'on any other stream is taken and means nothing',
    'answered',
    priority(1, 3),
    priority(101, 1),
    priority(3, 0),
    frame(TYPE.HEADERS, PRIORITY_FLAG | END_HEADERS, 1, Buffer.concat([uint32(0x8000_0063), Buffer.from([255]), call()])),
    data(1, bytes(5)),
  ),
]);

hostileCases('WINDOW_UPDATE', [
  one('of 0 fails on a stream', ['stream PROTOCOL_ERROR', PROTOCOL], headers(1), windowUpdate(1, 0)),
  one('of 0 fails on the connection', PROTOCOL, windowUpdate(0, 0)),
  one(
    'fails above 2^31-1 on a stream',
    ['stream FLOW_CONTROL_ERROR', 'connection FLOW_CONTROL_ERROR'],
    headers(1),
    windowUpdate(1, 0x7fff_ffff),
  ),
  one('fails above 2^31-1 on the connection', 'connection FLOW_CONTROL_ERROR', windowUpdate(0, 0x7fff_ffff)),
  one(
    'fails above 2^31-1 by SETTINGS',
    'connection FLOW_CONTROL_ERROR',
    headers(1),
    windowUpdate(1, 0x7fff_ffff - 65_535),
    settings([SETTING.INITIAL_WINDOW, 65_536]),
  ),
  one('fails on a stream that nobody has opened', PROTOCOL, windowUpdate(1, 1)),
  one('of a stream that is over is ignored', 'answered', wholeCall(1), ping(), windowUpdate(1, 100)),
]);

import { call, plain } from './kit/hpack.ts';
import {
  continuation,
  data,
  EMPTY_MESSAGE,
  END_HEADERS,
  END_STREAM,
  frame,
  headers,
  ping,
  priority,
  reset,
  wholeCall,
  windowUpdate,
} from './kit/raw-client.ts';
import { type HostileCase, hostileCases } from './kit/target.ts';

/** The life of a stream, and requests that are malformed: RFC 9113, 5.1, 6.2 and 8. */

const PROTOCOL = 'connection PROTOCOL_ERROR';
const CLOSED = ['connection STREAM_CLOSED', 'stream STREAM_CLOSED'];
const MALFORMED = ['stream PROTOCOL_ERROR', PROTOCOL];
const END = END_HEADERS | END_STREAM;

const one = (what: string, expected: HostileCase['expect'], ...parts: readonly Buffer[]): HostileCase => ({
  what,
  expect: expected,
  send: (client) => client.send(...parts),
});
const known = (node: string, what: string, expected: HostileCase['expect'], ...parts: readonly Buffer[]): HostileCase => ({
  ...one(what, expected, ...parts),
  node,
});

hostileCases('the id of a stream', [
  one('fails that is even', PROTOCOL, headers(2)),
  // nghttp2 takes a lower id for a stream that was and is over, and ignores what comes for it.
  known('taken', 'fails that is lower than one before', [PROTOCOL, 'connection STREAM_CLOSED'], wholeCall(5), headers(3)),
  {
    ...known('taken', 'fails that was skipped, for DATA', [PROTOCOL, ...CLOSED], wholeCall(5), data(3, EMPTY_MESSAGE)),
    stream: 3,
  },
  { ...one('may be the last one there is', 'answered', wholeCall(1), wholeCall(0x7fff_ffff)), stream: 0x7fff_ffff, isLast: true },
]);

hostileCases('a stream that nobody has opened', [
  one('fails with DATA', PROTOCOL, data(1, EMPTY_MESSAGE)),
  one('fails with RST_STREAM', PROTOCOL, reset(1)),
  one('fails with WINDOW_UPDATE', PROTOCOL, windowUpdate(1, 1)),
  one('fails with CONTINUATION', PROTOCOL, continuation(1, call())),
  one('may have a priority', 'answered', priority(3, 0), wholeCall(1)),
]);

hostileCases('a request that has ended', [
  one('fails with more DATA', CLOSED, headers(1), data(1, Buffer.alloc(0)), data(1, EMPTY_MESSAGE)),
  one('fails with more HEADERS', CLOSED, headers(1), data(1, Buffer.alloc(0)), headers(1, plain('a', 'b'), END)),
  one('fails with CONTINUATION', [PROTOCOL], headers(1, call(), END), continuation(1, plain('a', 'b'))),
  one('may have its window opened', 'answered', wholeCall(1), windowUpdate(1, 1000)),
  one('may be reset', ['taken', 'answered'], wholeCall(1), reset(1)),
]);

hostileCases('a request that its client has reset', [
  one('fails with DATA, or it is thrown away', [...CLOSED, 'taken'], headers(1), reset(1), data(1, EMPTY_MESSAGE)),
  known('taken', 'fails with HEADERS', ['connection STREAM_CLOSED', 'stream STREAM_CLOSED', PROTOCOL], headers(1), reset(1), headers(1)),
  one('may be reset again', 'taken', headers(1), reset(1), reset(1)),
  one('may have a window and a priority', 'taken', headers(1), reset(1), windowUpdate(1, 10), priority(1, 0)),
]);

hostileCases('a header block that is not whole', [
  one('fails with DATA of its stream in between', PROTOCOL, headers(1, call(), 0), data(1, EMPTY_MESSAGE)),
  one('fails with HEADERS of its stream in between', PROTOCOL, headers(1, call(), 0), headers(1, plain('a', 'b'))),
  one('fails with HEADERS of another stream in between', PROTOCOL, headers(1, call(), 0), headers(3)),
  one('fails with CONTINUATION of another stream', PROTOCOL, headers(1, call(), 0), continuation(3, plain('a', 'b'))),
  one('fails with PING in between', PROTOCOL, headers(1, call(), 0), ping()),
  one('fails with a frame of an unknown type in between', PROTOCOL, headers(1, call(), 0), frame(0xbb, 0, 1, Buffer.alloc(3))),
  one('fails with RST_STREAM in between', PROTOCOL, headers(1, call(), 0), reset(1)),
  one('fails with PRIORITY in between', PROTOCOL, headers(1, call(), 0), priority(1, 0)),
]);

hostileCases('trailers', [
  one('end the request', 'answered', headers(1), data(1, EMPTY_MESSAGE, 0), headers(1, plain('x-checksum', '1'), END)),
  one('of nothing end the request', 'answered', headers(1), data(1, EMPTY_MESSAGE, 0), headers(1, Buffer.alloc(0), END)),
  one(
    'in many frames end the request',
    'answered',
    headers(1),
    data(1, EMPTY_MESSAGE, 0),
    headers(1, plain('a', 'b'), END_STREAM),
    continuation(1, plain('c', 'd'), 0),
    continuation(1, plain('e', 'f')),
  ),
  one('fail without END_STREAM', MALFORMED, headers(1), data(1, EMPTY_MESSAGE, 0), headers(1, plain('a', 'b'))),
  one('fail with a pseudo-header', MALFORMED, headers(1), data(1, EMPTY_MESSAGE, 0), headers(1, plain(':path', '/'), END)),
  one('fail with an upper-case name', MALFORMED, headers(1), data(1, EMPTY_MESSAGE, 0), headers(1, plain('A', 'b'), END)),
]);

const request = (what: string, block: Buffer, expected: HostileCase['expect'] = MALFORMED, node?: string): HostileCase => ({
  ...one(what, expected, wholeCall(1, block)),
  ...(node === undefined ? {} : { node }),
});
/** A header that is not one: nghttp2 leaves it out and takes the request. */
const ignored = (what: string, block: Buffer): HostileCase => request(what, block, MALFORMED, 'answered');

hostileCases('a request', [
  request('fails without :method', call({ ':method': undefined })),
  request('fails without :scheme', call({ ':scheme': undefined })),
  request('fails without :path', call({ ':path': undefined })),
  request('fails with an empty :path', call({ ':path': '' })),
  request('fails with two of a pseudo-header', Buffer.concat([plain(':method', 'POST'), call()])),
  request('fails with an unknown pseudo-header', Buffer.concat([plain(':protocol-of-mine', 'x'), call()])),
  request('fails with the pseudo-header of an answer', Buffer.concat([plain(':status', '200'), call()])),
  request('fails with a pseudo-header behind a header', Buffer.concat([plain('a', 'b'), call()])),
  request('fails with an upper-case name', call({ 'X-Upper': 'x' })),
  request('fails with connection', call({ connection: 'keep-alive' })),
  request('fails with keep-alive', call({ 'keep-alive': '5' })),
  request('fails with transfer-encoding', call({ 'transfer-encoding': 'chunked' })),
  request('fails with upgrade', call({ upgrade: 'h2c' })),
  request('fails with proxy-connection', call({ 'proxy-connection': 'close' })),
  request('fails with te of more than trailers', call({ te: 'trailers, deflate' })),
  ignored('fails with a header without a name', call({ '': 'x' })),
  ignored('fails with a colon in a name', call({ 'a:b': 'x' })),
  ignored('fails with a space in a name', call({ 'a b': 'x' })),
  ignored('fails with a line feed in a value', call({ a: 'x\ny' })),
  ignored('fails with a carriage return in a value', call({ a: 'x\r\ny: z' })),
  ignored('fails with NUL in a value', call({ a: 'x\0y' })),
  request('fails with a line feed in :path', call({ ':path': '/a\nb' })),
  request('may leave :authority out', call({ ':authority': undefined }), 'answered', 'stream PROTOCOL_ERROR'),
  request('may have host instead of :authority', call({ ':authority': undefined, host: 'x' }), 'answered'),
  request('may have bytes above 127 in a value', call({ a: '\xe4\xff' }), 'answered'),
]);

hostileCases('content-length', [
  request('of the body is right', call({ 'content-length': '5' }), 'answered'),
  request('fails below the bytes that come', call({ 'content-length': '3' }), MALFORMED, 'connection INTERNAL_ERROR'),
  request('fails above the bytes that come', call({ 'content-length': '6' })),
  request('fails as no number', call({ 'content-length': '5x' })),
  request('fails below 0', call({ 'content-length': '-5' })),
  request('fails twice with two values', Buffer.concat([call({ 'content-length': '5' }), plain('content-length', '6')])),
  one('fails above 0 with headers that end the request', MALFORMED, headers(1, call({ 'content-length': '5' }), END)),
]);

hostileCases(
  'max_concurrent_streams',
  [
    one(
      'are open: the next one is refused',
      ['stream REFUSED_STREAM', 'stream PROTOCOL_ERROR', PROTOCOL],
      ...[1, 3, 5, 7, 9].map((stream) => headers(stream)),
      ...[1, 3, 5, 7].map((stream) => reset(stream)),
    ),
  ].map((each) => ({ ...each, stream: 9 })),
  { maxConcurrentStreams: 4 },
);

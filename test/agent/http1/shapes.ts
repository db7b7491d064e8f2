import { gzipSync } from 'node:zlib';
import { request } from '../kit/otlp.ts';

/** A request as bytes, with a name for the list of differences. */
export interface Shape {
  readonly name: string;
  readonly bytes: Buffer;
  /** The client says that it is its last one: nothing is sent behind it. */
  readonly last?: boolean;
}

const BODY = request('traces', 2, 'body');
const TYPE = 'Content-Type: application/x-protobuf\r\n';
const HOST = 'Host: agent\r\n';

/** POST with these lines behind Host and Content-Type; a body of BODY's length is declared unless `lines` does something about it. */
function post(lines: string, options: { line?: string; host?: string; type?: string; length?: string; body?: Buffer } = {}): Buffer {
  const { line = 'POST /v1/traces HTTP/1.1\r\n', host = HOST, type = TYPE, body = BODY } = options;
  const length = options.length ?? `Content-Length: ${body.length}\r\n`;
  return Buffer.concat([Buffer.from(`${line}${host}${type}${length}${lines}\r\n`, 'latin1'), body]);
}

const text = (content: string): Buffer => Buffer.from(content, 'latin1');
const CHUNKED = Buffer.concat([text(`${BODY.length.toString(16)}\r\n`), BODY, text('\r\n0\r\n\r\n')]);
const NONE = Buffer.alloc(0);
const SMUGGLED = text('GET /smuggled HTTP/1.1\r\nHost: agent\r\n\r\n');

/** What every sender does. */
export const PLAIN: readonly Shape[] = Object.entries({
  protobuf: post(''),
  'no body': post('', { body: NONE }),
  gzip: post('Content-Encoding: gzip\r\n', { body: gzipSync(BODY) }),
  json: post('', {
    type: 'content-type: application/json\r\n',
    body: text('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}'),
  }),
  'keep-alive': post('Connection: Keep-Alive\r\n'),
  'many headers': post(
    'User-Agent: x/1\r\nAccept: */*\r\nAccept-Encoding: gzip\r\ntraceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n',
  ),
  'spaces and tabs around values': post('X-A: \t a b \t \r\nX-B:c\r\nX-Empty:\r\nX-Blank:  \r\n'),
  'a header above ASCII': post('X-A: \xe4\xff\r\n'),
  metrics: post('', { line: 'POST /v1/metrics HTTP/1.1\r\n', body: request('metrics', 3) }),
  malformed: post('', { body: text('no protobuf at all') }),
  'wrong type': post('', { type: 'Content-Type: text/plain\r\n' }),
  'no type': post('', { type: '' }),
  'unknown encoding': post('Content-Encoding: lz4\r\n'),
  'a broken gzip': post('Content-Encoding: gzip\r\n'),
  'type with parameters': post('', { type: 'Content-Type: Application/X-Protobuf ; charset=utf-8\r\n' }),
}).map(([name, bytes]) => ({ name, bytes }));

const SAY_CLOSE: ReadonlySet<string> = new Set([
  'close',
  'close in capitals',
  'close among others',
  'Connection twice',
  'Proxy-Connection',
  'HTTP/1.0',
  'HEAD', // an answer to HEAD tells the length of a body that does not come
]);

/** What some do, and what only attackers do. */
export const ODD: readonly Shape[] = Object.entries({
  close: post('Connection: close\r\n'),
  'close in capitals': post('Connection: CLOSE\r\n'),
  'close among others': post('Connection: keep-alive, close\r\n'),
  'Connection twice': post('Connection: keep-alive\r\nConnection: close\r\n'),
  'Connection of another kind': post('Connection: x-thing\r\n'),
  'Proxy-Connection': post('Proxy-Connection: close\r\n'),
  'too large': post('', { body: Buffer.alloc(70_000) }),
  'unknown path': post('', { line: 'POST /v1/nothing HTTP/1.1\r\n' }),
  'path with a query': post('', { line: 'POST /v1/traces?a=b HTTP/1.1\r\n' }),
  'absolute form': post('', { line: 'POST http://agent/v1/traces HTTP/1.1\r\n' }),
  'a path that begins alike': post('', { line: 'POST /v1/tracesx HTTP/1.1\r\n' }),
  GET: text('GET /v1/traces HTTP/1.1\r\nHost: agent\r\n\r\n'),
  PUT: post('', { line: 'PUT /v1/traces HTTP/1.1\r\n' }),
  HEAD: text('HEAD /v1/traces HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n'),
  OPTIONS: text('OPTIONS /v1/traces HTTP/1.1\r\nHost: agent\r\nOrigin: https://a.test\r\nAccess-Control-Request-Method: POST\r\n\r\n'),
  'GET with a body': post('', { line: 'GET /v1/traces HTTP/1.1\r\n' }),
  'post in small letters': post('', { line: 'post /v1/traces HTTP/1.1\r\n' }),
  Origin: post('Origin: https://a.test\r\n'),
  'HTTP/1.0': post('', { line: 'POST /v1/traces HTTP/1.0\r\n' }),
  'HTTP/1.0 with keep-alive': post('Connection: keep-alive\r\n', { line: 'POST /v1/traces HTTP/1.0\r\n' }),
  'HTTP/1.2': post('', { line: 'POST /v1/traces HTTP/1.2\r\n' }),
  'HTTP/2.0': post('', { line: 'POST /v1/traces HTTP/2.0\r\n' }),
  'no version': post('', { line: 'POST /v1/traces\r\n' }),
  'two spaces': post('', { line: 'POST  /v1/traces HTTP/1.1\r\n' }),
  'a space behind the version': post('', { line: 'POST /v1/traces HTTP/1.1 \r\n' }),
  'a tab for a space': post('', { line: 'POST\t/v1/traces HTTP/1.1\r\n' }),
  'an empty line first': Buffer.concat([text('\r\n'), post('')]),
  'a line feed first': Buffer.concat([text('\n'), post('')]),
  'no Host': post('', { host: '' }),
  'two Hosts': post('Host: other\r\n'),
  'an empty Host': post('', { host: 'Host:\r\n' }),
  chunked: post('Transfer-Encoding: chunked\r\n', { length: '', body: CHUNKED }),
  'chunked with trailers': post('Transfer-Encoding: chunked\r\nTrailer: X-T\r\n', {
    length: '',
    body: Buffer.concat([CHUNKED.subarray(0, -2), text('X-T: 1\r\n\r\n')]),
  }),
  'CL and TE': post('Transfer-Encoding: chunked\r\n', { body: CHUNKED }),
  'TE and CL': post(`Content-Length: ${CHUNKED.length}\r\n`, { length: 'Transfer-Encoding: chunked\r\n', body: CHUNKED }),
  'CL.TE smuggling': post('Transfer-Encoding: chunked\r\n', {
    length: `Content-Length: ${5 + SMUGGLED.length}\r\n`,
    body: Buffer.concat([text('0\r\n\r\n'), SMUGGLED]),
  }),
  'TE.CL smuggling': post('Transfer-Encoding: chunked\r\n', { length: 'Content-Length: 4\r\n', body: Buffer.concat([CHUNKED, SMUGGLED]) }),
  'TE of another kind': post('Transfer-Encoding: xchunked\r\n', { body: CHUNKED }),
  'TE identity': post('Transfer-Encoding: identity\r\n'),
  'TE with a tab': post('Transfer-Encoding:\tchunked\r\n', { body: CHUNKED }),
  'TE with a space before the colon': post('Transfer-Encoding : chunked\r\n', { body: CHUNKED }),
  'TE in a folded line': post('X: y\r\n Transfer-Encoding: chunked\r\n'),
  'no length': post('', { length: '', body: NONE }),
  'no length, but a body': post('', { length: '' }),
  'two lengths alike': post(`Content-Length: ${BODY.length}\r\n`),
  'two lengths': post('Content-Length: 5\r\n'),
  'length 0 and another': post('Content-Length: 0\r\n', { body: SMUGGLED }),
  'a list of lengths': post('', { length: `Content-Length: ${BODY.length}, ${BODY.length}\r\n` }),
  'length with +': post('', { length: `Content-Length: +${BODY.length}\r\n` }),
  'length with -': post('', { length: 'Content-Length: -1\r\n' }),
  'length with a leading zero': post('', { length: `Content-Length: 0${BODY.length}\r\n` }),
  'length in hex': post('', { length: 'Content-Length: 0x10\r\n' }),
  'length with a space inside': post('', { length: 'Content-Length: 1 0\r\n' }),
  'length with an underscore': post('', { length: 'Content-Length: 1_0\r\n' }),
  'length with a dot': post('', { length: 'Content-Length: 10.0\r\n' }),
  'an empty length': post('', { length: 'Content-Length:\r\n' }),
  'a length of many digits': post('', { length: `Content-Length: ${'9'.repeat(30)}\r\n` }),
  'a length above 2^32': post('', { length: 'Content-Length: 4294967297\r\n' }),
  'length with a space before the colon': post('', { length: `Content-Length : ${BODY.length}\r\n` }),
  'a folded length': post('', { length: `Content-Length:\r\n ${BODY.length}\r\n` }),
  'line feeds only': text(post('', { body: NONE }).toString('latin1').replaceAll('\r\n', '\n')),
  'one bare line feed': post('X-A: b\nX-C: d\r\n'),
  'a bare CR in a value': post('X-A: b\rX-C: d\r\n'),
  'a bare CR at the end of a line': post('X-A: b\r\r\n'),
  'NUL in a value': post('X-A: b\0c\r\n'),
  'NUL in a name': post('X\0A: b\r\n'),
  'NUL in the target': post('', { line: 'POST /v1/traces\0 HTTP/1.1\r\n' }),
  'a control character in a value': post('X-A: b\x01c\r\n'),
  'DEL in a value': post('X-A: b\x7fc\r\n'),
  'a name above ASCII': post('X-\xe4: b\r\n'),
  'a space in a name': post('X A: b\r\n'),
  'a folded value': post('X-A: b\r\n c\r\n'),
  'a line without a colon': post('X-A\r\n'),
  'an empty name': post(': b\r\n'),
  'a space before the first header': post('', { host: ' Host: agent\r\n' }),
  'Expect: 100-continue': post('Expect: 100-continue\r\n'),
  'Expect of another kind': post('Expect: the-unexpected\r\n'),
  'Upgrade alone': post('Upgrade: h2c\r\n'),
  'two types': post('Content-Type: text/plain\r\n'),
  'two encodings': post('Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n'),
  'two Accept-Encodings': post('Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n'),
  'headers of 20 KiB': post(`X-Big: ${'a'.repeat(20 * 1024)}\r\n`),
  'headers of 40 KiB': post(`X-Big: ${'a'.repeat(40 * 1024)}\r\n`),
  'hundred headers': post(Array.from({ length: 100 }, (_, i) => `X-${i}: ${i}\r\n`).join('')),
  'a ClientHello': Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]), Buffer.alloc(60, 0xee)]),
  garbage: text('HELLO WORLD\r\n\r\n'),
  'no end of the head': text('POST /v1/traces HTTP/1.1\r\nHost: agent\r\nX-A: b'),
  'less than its body': post('', { length: `Content-Length: ${BODY.length + 5000}\r\n` }),
  'more than its body': post('', { length: 'Content-Length: 3\r\n' }),
}).map(([name, bytes]) => ({ name, bytes, last: SAY_CLOSE.has(name) }));

/** Behind one of these node:http (26.10) reads no further request, though it has not upgraded: nothing can follow. */
export const UPGRADES: readonly Shape[] = Object.entries({
  'Upgrade: websocket': post('Connection: Upgrade\r\nUpgrade: websocket\r\n'),
  'Upgrade: h2c': post('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'),
}).map(([name, bytes]) => ({ name, bytes }));

/** Shapes in a row, up to one that is the last by its own word; else LAST ends the row. */
export function row(...shapes: readonly Shape[]): Buffer {
  const end = shapes.findIndex(({ last }) => last === true);
  return Buffer.concat(end < 0 ? [...shapes.map(({ bytes }) => bytes), LAST] : shapes.slice(0, end + 1).map(({ bytes }) => bytes));
}

/** Ends every conversation that is still one: both sides see whether the other has come so far. */
export const LAST = text('GET /the-last HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n');

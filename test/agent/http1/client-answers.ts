/** Answers as bytes, and what they are read as. */
export interface AnswerCase {
  readonly name: string;
  readonly bytes: string;
  /** The server closes its side behind it. @default false */
  readonly ends?: boolean;
  /** The answer, or why it is none. */
  readonly is: Partial<{ status: number; type: string; retryAfter: string | undefined; body: string | undefined }> | RegExp;
  /** The connection carries the next request. @default false */
  readonly reusable?: boolean;
  /** Bytes come behind the answer, which belong to none: where they come later, the next request meets them. @default false */
  readonly surplus?: boolean;
  /** What undici makes of it, where that is something else; `waits` until the request has no time left. */
  readonly undici?: AnswerCase['is'] | 'waits';
}

const ok = (headers: string, body = '', first = 'HTTP/1.1 200 OK'): string =>
  `${first}\r\n${headers}${headers === '' ? '' : '\r\n'}\r\n${body}`;
const CHUNKED = 'Transfer-Encoding: chunked';
const LONG = 'x'.repeat(1001);

export const ANSWERS: readonly AnswerCase[] = [
  { name: 'a length', bytes: ok('Content-Length: 5', 'hello'), is: { status: 200, type: '', body: 'hello' }, reusable: true },
  { name: 'a length of 0', bytes: ok('content-length: 0'), is: { status: 200, body: '' }, reusable: true },
  {
    name: 'a type in full',
    bytes: ok('Content-Type: text/plain; charset=utf-8\r\nContent-Length: 1', 'x'),
    is: { type: 'text/plain; charset=utf-8' },
    reusable: true,
  },
  {
    name: 'a type of protobuf',
    bytes: ok('CONTENT-TYPE:application/x-protobuf\r\nCONTENT-LENGTH:0'),
    is: { type: 'application/x-protobuf' },
    reusable: true,
  },
  {
    name: 'spaces around values',
    bytes: ok('Content-Length: \t 2 \t\r\nRetry-After:\t 7 ', 'ab'),
    is: { body: 'ab', retryAfter: '7' },
    reusable: true,
    undici: /./,
  },
  { name: 'no reason', bytes: ok('Content-Length: 0', '', 'HTTP/1.1 200 '), is: { status: 200 }, reusable: true },
  { name: 'no reason and no space', bytes: ok('Content-Length: 0', '', 'HTTP/1.1 200'), is: { status: 200 }, reusable: true },
  {
    name: 'a reason beyond ASCII',
    bytes: ok('Content-Length: 0', '', 'HTTP/1.1 503 Nicht verf\xfcgbar'),
    is: { status: 503 },
    reusable: true,
  },
  {
    name: '429 with Retry-After',
    bytes: ok('Retry-After: 3\r\nContent-Length: 0', '', 'HTTP/1.1 429 Too Many'),
    is: { status: 429, retryAfter: '3' },
    reusable: true,
  },
  {
    name: 'two of Retry-After',
    bytes: ok('Retry-After: 3\r\nRetry-After: 4\r\nContent-Length: 0'),
    is: { retryAfter: undefined },
    reusable: true,
  },
  { name: 'an empty header', bytes: ok('X-Empty:\r\nContent-Length: 0'), is: { status: 200 }, reusable: true },
  { name: '204', bytes: ok('Date: now', '', 'HTTP/1.1 204 No Content'), is: { status: 204, body: '' }, reusable: true },
  {
    name: '304 with the length of another',
    bytes: ok('Content-Length: 5', '', 'HTTP/1.1 304 Not Modified'),
    is: { status: 304, body: '' },
  },
  { name: '204 that names a body', bytes: ok('Content-Length: 5', '', 'HTTP/1.1 204 No'), is: { status: 204, body: '' } },
  { name: '307, not followed', bytes: ok('Location: /x\r\nContent-Length: 0', '', 'HTTP/1.1 307 T'), is: { status: 307 }, reusable: true },
  { name: 'chunks', bytes: ok(CHUNKED, '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'), is: { body: 'hello' }, reusable: true },
  {
    name: 'chunks in hex with extensions',
    bytes: ok(CHUNKED, '0A;a=b;c="d"\r\n0123456789\r\nb\r\n0123456789a\r\n000\r\n\r\n'),
    is: { body: '01234567890123456789a' },
    reusable: true,
  },
  {
    name: 'chunks and trailers',
    bytes: ok(CHUNKED, '1\r\nx\r\n0\r\nX-Sum: 1\r\nContent-Length: 7\r\n\r\n'),
    is: { body: 'x' },
    reusable: true,
    undici: /./,
  },
  { name: 'no chunk but the last', bytes: ok('transfer-encoding: Chunked', '0\r\n\r\n'), is: { body: '' }, reusable: true },
  {
    name: 'all until the end',
    bytes: ok('Content-Type: text/html', '<h1>no</h1>'),
    ends: true,
    is: { type: 'text/html', body: '<h1>no</h1>' },
  },
  { name: 'nothing until the end', bytes: ok(''), ends: true, is: { status: 200, body: '' } },
  { name: 'Connection: close', bytes: ok('Connection: close\r\nContent-Length: 1', 'x'), is: { body: 'x' } },
  { name: 'Connection: close in a list', bytes: ok('Connection: foo, Close\r\nContent-Length: 1', 'x'), is: { body: 'x' } },
  { name: 'HTTP/1.0', bytes: ok('Content-Length: 1', 'x', 'HTTP/1.0 200 OK'), is: { body: 'x' } },
  {
    name: 'HTTP/1.0 that is kept',
    bytes: ok('Connection: Keep-Alive\r\nContent-Length: 1', 'x', 'HTTP/1.0 200 OK'),
    is: { body: 'x' },
    reusable: true,
  },
  { name: 'HTTP/1.0 until the end', bytes: ok('', 'abc', 'HTTP/1.0 200 OK'), ends: true, is: { body: 'abc' } },
  {
    name: 'an interim answer first',
    bytes: `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${ok('Content-Length: 1', 'x')}`,
    is: { status: 200, body: 'x' },
    reusable: true,
  },
  {
    name: '100 Continue that nobody asked for',
    bytes: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\nRetry-After: 9\r\n\r\n${ok('Content-Length: 1', 'x')}`,
    is: { status: 200, body: 'x', retryAfter: undefined },
    reusable: true,
    undici: /bad response/,
  },
  { name: 'more than was announced', bytes: ok('Content-Length: 5', 'hello!'), surplus: true, is: { body: 'hello' } },
  {
    name: 'another answer behind it',
    bytes: ok('Content-Length: 0', ok('Content-Length: 0')),
    surplus: true,
    is: { status: 200, body: '' },
  },
  { name: 'bytes behind the last chunk', bytes: ok(CHUNKED, '0\r\n\r\nx'), surplus: true, is: { body: '' } },
  { name: 'bytes behind 204', bytes: ok('', 'x', 'HTTP/1.1 204 No'), surplus: true, is: { status: 204, body: '' } },
  { name: 'a body over the limit', bytes: ok(`Content-Length: ${LONG.length}`, LONG), is: { status: 200, body: undefined } },
  { name: 'a length over the limit', bytes: ok('Content-Length: 999999999999'), is: { body: undefined }, undici: 'waits' },
  {
    name: 'chunks over the limit',
    bytes: ok(CHUNKED, `1F4\r\n${'x'.repeat(500)}\r\n1F5\r\n${'x'.repeat(501)}\r\n`),
    is: { body: undefined },
  },
  { name: 'a body over the limit until the end', bytes: ok('', LONG), ends: true, is: { body: undefined } },
  { name: 'fails: nothing', bytes: '', ends: true, is: /ended before the answer|other side closed/ },
  { name: 'fails: half a head', bytes: 'HTTP/1.1 200 OK\r\nContent-', ends: true, is: /inside of the answer|other side closed/ },
  { name: 'fails: half a body', bytes: ok('Content-Length: 5', 'hel'), ends: true, is: /inside of the answer|other side closed/ },
  { name: 'fails: half a chunk', bytes: ok(CHUNKED, '5\r\nhel'), ends: true, is: /inside of the answer|other side closed/ },
  { name: 'fails: no last chunk', bytes: ok(CHUNKED, '3\r\nhel\r\n'), ends: true, is: /inside of the answer|other side closed/ },
  { name: 'fails: only 100', bytes: 'HTTP/1.1 100 Continue\r\n\r\n', ends: true, is: /inside of the answer/, undici: /bad response/ },
  {
    name: 'fails: 101',
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n',
    is: /nobody has asked for/,
    undici: /bad upgrade/,
  },
  { name: 'fails: garbage', bytes: '\x00\x01\x02\x03', is: /does not begin as HTTP/, undici: /./ },
  { name: 'fails: a TLS alert', bytes: '\x15\x03\x01\x00\x02\x02\x46', is: /does not begin as HTTP/, undici: /./ },
  { name: 'fails: SETTINGS of HTTP/2', bytes: '\x00\x00\x00\x04\x00\x00\x00\x00\x00', is: /does not begin as HTTP/, undici: /./ },
  { name: 'fails: SSH', bytes: 'SSH-2.0-OpenSSH_9.6\r\n', is: /does not begin as HTTP/, undici: /./ },
  {
    name: 'fails: HTTP/2.0 in words',
    bytes: ok('Content-Length: 0', '', 'HTTP/2.0 200 OK'),
    is: /does not begin as HTTP/,
    undici: { status: 200 },
  },
  { name: 'fails: HTTP/1.2', bytes: ok('Content-Length: 0', '', 'HTTP/1.2 200 OK'), is: /does not begin as HTTP/, undici: /./ },
  {
    name: 'fails: a status of two digits',
    bytes: ok('Content-Length: 0', '', 'HTTP/1.1 20 OK'),
    is: /does not begin as HTTP/,
    undici: /./,
  },
  {
    name: 'fails: a status of four digits',
    bytes: ok('Content-Length: 0', '', 'HTTP/1.1 2000 OK'),
    is: /does not begin as HTTP/,
    undici: /./,
  },
  { name: 'fails: a status of 099', bytes: ok('Content-Length: 0', '', 'HTTP/1.1 099 OK'), is: /does not begin as HTTP/, undici: /./ },
  { name: 'fails: a blank line first', bytes: `\r\n${ok('Content-Length: 0')}`, is: /does not begin as HTTP/, undici: { status: 200 } },
  { name: 'fails: lines that end with LF', bytes: 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', is: /without CR LF/, undici: /./ },
  { name: 'fails: a bare CR in a value', bytes: ok('X-A: a\rb\r\nContent-Length: 0'), is: /control character/, undici: /./ },
  { name: 'fails: NUL in a value', bytes: ok('X-A: a\0b\r\nContent-Length: 0'), is: /control character/, undici: /./ },
  { name: 'fails: a space before the colon', bytes: ok('Content-Length : 0'), is: /no "name: value"/, undici: /./ },
  { name: 'fails: a header without a name', bytes: ok(': 1\r\nContent-Length: 0'), is: /no "name: value"/, undici: /./ },
  { name: 'fails: a header without a colon', bytes: ok('Nonsense\r\nContent-Length: 0'), is: /no "name: value"/, undici: /./ },
  { name: 'fails: a folded header', bytes: ok('X-A: a\r\n b\r\nContent-Length: 0'), is: /no "name: value"/, undici: /./ },
  { name: 'fails: two lengths', bytes: ok('Content-Length: 1\r\nContent-Length: 1', 'x'), is: /comes twice/, undici: /./ },
  { name: 'fails: a list of lengths', bytes: ok('Content-Length: 1, 1', 'x'), is: /no number/, undici: /./ },
  { name: 'fails: a negative length', bytes: ok('Content-Length: -1', 'x'), is: /no number/, undici: /./ },
  { name: 'fails: a length with a sign', bytes: ok('Content-Length: +1', 'x'), is: /no number/, undici: /./ },
  { name: 'fails: no length', bytes: ok('Content-Length:', 'x'), is: /no number/, undici: /./ },
  { name: 'fails: a length in hex', bytes: ok('Content-Length: 0x1', 'x'), is: /no number/, undici: /./ },
  { name: 'fails: a length beyond numbers', bytes: ok('Content-Length: 99999999999999999999', 'x'), is: /no number/, undici: /./ },
  { name: 'fails: length and chunks', bytes: ok(`Content-Length: 3\r\n${CHUNKED}`, '0\r\n\r\n'), is: /two ways/, undici: /./ },
  { name: 'fails: chunks and length', bytes: ok(`${CHUNKED}\r\nContent-Length: 3`, '0\r\n\r\n'), is: /two ways/, undici: /./ },
  { name: 'fails: chunks of HTTP/1.0', bytes: ok(CHUNKED, '0\r\n\r\n', 'HTTP/1.0 200 OK'), is: /two ways/, undici: { status: 200 } },
  { name: 'fails: chunks twice', bytes: ok(`${CHUNKED}\r\n${CHUNKED}`, '0\r\n\r\n'), is: /not chunked/, undici: { status: 200 } },
  { name: 'fails: another coding', bytes: ok('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'), is: /not chunked/, undici: { status: 200 } },
  { name: 'fails: identity', bytes: ok('Transfer-Encoding: identity', 'x'), ends: true, is: /not chunked/, undici: { status: 200 } },
  {
    name: 'fails: chunked with something',
    bytes: ok('Transfer-Encoding: xchunked', '0\r\n\r\n'),
    ends: true,
    is: /not chunked/,
    undici: { status: 200 },
  },
  { name: 'fails: a size that is none', bytes: ok(CHUNKED, 'xyz\r\n'), is: /size of a chunk/, undici: /./ },
  { name: 'fails: a size of nothing', bytes: ok(CHUNKED, '\r\n\r\n'), is: /size of a chunk/, undici: /./ },
  { name: 'fails: a negative size', bytes: ok(CHUNKED, '-1\r\n\r\n'), is: /size of a chunk/, undici: /./ },
  { name: 'fails: a size in 0x', bytes: ok(CHUNKED, '0x1\r\nx\r\n0\r\n\r\n'), is: /size of a chunk/, undici: /./ },
  { name: 'fails: a space behind a size', bytes: ok(CHUNKED, '1 \r\nx\r\n0\r\n\r\n'), is: /size of a chunk/, undici: /./ },
  { name: 'fails: a size beyond numbers', bytes: ok(CHUNKED, 'ffffffffffffffffff\r\n'), is: /size of a chunk/, undici: /./ },
  { name: 'fails: a size that ends with LF', bytes: ok(CHUNKED, '1\nx\r\n0\r\n\r\n'), is: /without CR LF/, undici: /./ },
  { name: 'fails: a chunk that is longer', bytes: ok(CHUNKED, '1\r\nxy\r\n0\r\n\r\n'), is: /longer than its size/, undici: /./ },
  {
    name: 'fails: a chunk that is shorter',
    bytes: ok(CHUNKED, '3\r\nx\r\n0\r\n\r\n'),
    is: /longer than its size|without CR LF/,
    undici: /./,
  },
  { name: 'fails: a trailer that is none', bytes: ok(CHUNKED, '0\r\nnonsense\r\n\r\n'), is: /no "name: value"/, undici: /./ },
  {
    name: 'fails: a head without end',
    bytes: `HTTP/1.1 200 OK\r\n${'X-A: 0123456789\r\n'.repeat(2000)}`,
    is: /longer than 16384/,
    undici: /./,
  },
  { name: 'fails: a line without end', bytes: `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(17_000)}`, is: /longer than 16384/, undici: /./ },
  {
    name: 'fails: interim answers without end',
    bytes: 'HTTP/1.1 103 Early\r\n\r\n'.repeat(1000),
    is: /longer than 16384/,
    undici: 'waits',
  },
  {
    name: 'fails: extensions without end',
    bytes: ok(CHUNKED, `1;${'e'.repeat(2000)}\r\nx\r\n`.repeat(10)),
    is: /longer than 16384/,
    undici: 'waits',
  },
  {
    name: 'fails: trailers without end',
    bytes: ok(CHUNKED, `0\r\n${'X-A: 0123456789\r\n'.repeat(2000)}`),
    is: /longer than 16384/,
    undici: /./,
  },
];

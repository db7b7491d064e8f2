import { describe, expect, it } from 'vitest';
import { block, call, FIRST_DYNAMIC, huffman, indexed, integer, kept, never, plain, TABLE_BYTES, tableSize, text } from './kit/hpack.ts';
import { continuation, data, EMPTY_MESSAGE, headers, reset, SETTING, settings, wholeCall } from './kit/raw-client.ts';
import { CODECS, type HostileCase, HostileTarget, hostileCases } from './kit/target.ts';

/** Header blocks: RFC 7541, and the limits that it leaves to us. */

const BROKEN = 'connection COMPRESSION_ERROR';
/** Of a list of headers above the limit: answered with 431, or reset. */
const TOO_LARGE = ['answered', 'stream ENHANCE_YOUR_CALM', 'stream PROTOCOL_ERROR', 'stream REFUSED_STREAM', 'stream CANCEL'];

/** A header block that is sent in as many frames as it needs. */
function frames(stream: number, whole: Buffer, end = true): Buffer {
  const out: Buffer[] = [];
  for (let at = 0; at < whole.length || at === 0; at += 16_384) {
    const piece = whole.subarray(at, at + 16_384);
    const flags = at + 16_384 >= whole.length && end ? 4 : 0;
    out.push(at === 0 ? headers(stream, piece, flags) : continuation(stream, piece, flags));
  }
  return Buffer.concat(out);
}

const one = (what: string, expected: HostileCase['expect'], ...parts: readonly Buffer[]): HostileCase => ({
  what,
  expect: expected,
  send: (client) => client.send(frames(1, block(...parts)), data(1, EMPTY_MESSAGE)),
});

hostileCases('a reference', [
  one('fails as 0', BROKEN, indexed(0)),
  one('fails behind an empty dynamic table', BROKEN, call(), indexed(FIRST_DYNAMIC)),
  one('fails behind the entries of the dynamic table', BROKEN, call(), kept('a', 'b'), indexed(FIRST_DYNAMIC + 1)),
  one('fails to the name of a header behind the table', BROKEN, call(), Buffer.from([0x7f, 0x60]), text('x')),
  one('fails to an entry that was pushed out', BROKEN, call(), kept('a', 'b'), kept('c', 'x'.repeat(4050)), indexed(FIRST_DYNAMIC + 1)),
  one(
    'fails to an entry larger than the table, which empties it',
    BROKEN,
    call(),
    kept('a', 'b'),
    kept('c', 'x'.repeat(4096)),
    indexed(FIRST_DYNAMIC),
  ),
  one(
    'to the name of the entry that its own insertion pushes out is good (RFC 7541, 4.4)',
    'answered',
    call(),
    kept('a-name-to-keep', 'x'.repeat(3500)),
    integer(0x40, 6, FIRST_DYNAMIC),
    text('y'.repeat(3600)),
    indexed(FIRST_DYNAMIC),
  ),
]);

hostileCases('an integer', [
  one('fails above 2^32', BROKEN, Buffer.from('ffffffffffffffffff7f', 'hex')),
  one('fails above 2^62', BROKEN, Buffer.from('ffffffffffffffffffffffffffffffff01', 'hex')),
  one('fails of 5 bytes that wrap 32 bits to a good index', BROKEN, call(), Buffer.from('ff83ffffff0f', 'hex')),
  one('fails as the length of a text', BROKEN, call(), Buffer.from([0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0x7f])),
  one('fails without end', BROKEN, call(), Buffer.from([0xff]), Buffer.alloc(1000, 0x80)),
  one('fails where it is cut', BROKEN, call(), Buffer.from([0xff, 0x80])),
]);

hostileCases('the size of the table', [
  one('fails above the limit', BROKEN, tableSize(TABLE_BYTES + 1), call()),
  one('fails above 2^31', BROKEN, tableSize(2 ** 33), call()),
  one('fails after a header', BROKEN, call(), tableSize(0)),
  one('of 0 empties it', BROKEN, kept('a', 'b'), tableSize(0)),
  one('may go down and up at the beginning', 'answered', tableSize(0), tableSize(TABLE_BYTES), call()),
  {
    what: 'of 0 in the next block empties it',
    expect: BROKEN,
    send: (client) =>
      client.send(
        wholeCall(1, block(call(), kept('a', 'b'))),
        wholeCall(3, block(tableSize(0), tableSize(TABLE_BYTES), call(), indexed(FIRST_DYNAMIC))),
      ),
  },
  {
    what: 'that the client allows us is kept to: 0, and answers can still be read',
    settings: [[SETTING.HEADER_TABLE_SIZE, 0]],
    expect: 'answered',
    async send(client) {
      for (let stream = 3; stream < 40; stream += 2)
        client.send(wholeCall(stream, call({ 'content-type': stream % 4 === 1 ? 'text/plain' : 'application/grpc' })));
      client.send(
        settings([SETTING.HEADER_TABLE_SIZE, 0xffff_ffff]),
        settings([SETTING.HEADER_TABLE_SIZE, 0]),
        wholeCall(41),
        wholeCall(1 + 40 + 2),
      );
      await client.settled();
    },
    stream: 43,
  },
]);

hostileCases('Huffman coding', [
  one('fails with EOS', BROKEN, call(), Buffer.from([0x00]), text('a'), huffman(0xff, 0xff, 0xff, 0xff)),
  one('fails with EOS after a letter', BROKEN, call(), Buffer.from([0x00]), text('a'), huffman(0x1f, 0xff, 0xff, 0xff, 0xff)),
  one('fails with a padding of 8 bits', BROKEN, call(), Buffer.from([0x00]), text('a'), huffman(0x1f, 0xff)),
  one('fails with a padding of zeros', BROKEN, call(), Buffer.from([0x00]), text('a'), huffman(0x18)),
  one('fails with a padding of 30 bits, which is EOS', BROKEN, call(), Buffer.from([0x00]), text('a'), huffman(0xff, 0xff, 0xff, 0xfc)),
  one('is taken', 'answered', call(), Buffer.from([0x00]), huffman(0x1f), huffman(0x1f, 0xff - 0xff + 0x1f)),
  one('of no byte is an empty value', 'answered', call(), Buffer.from([0x00]), text('a'), huffman()),
]);

hostileCases('a block', [
  one('fails that ends in a text', BROKEN, call(), Buffer.from([0x00]), text('a'), Buffer.from([0x0a, 0x61])),
  one('fails that ends after a name', BROKEN, call(), Buffer.from([0x00]), text('a')),
  one('fails that ends after the kind of a header', BROKEN, call(), Buffer.from([0x40])),
  one('of representations that are never kept is taken', 'answered', call(), never('x', 'y'), never('z', '')),
  {
    what: 'in one frame for each byte is taken, or too many frames',
    expect: ['answered', 'connection ENHANCE_YOUR_CALM', 'connection INTERNAL_ERROR'],
    send(client) {
      const bytes = call();
      client.send(headers(1, bytes.subarray(0, 1), 0));
      for (let at = 1; at < bytes.length; at += 1)
        client.send(continuation(1, bytes.subarray(at, at + 1), at + 1 === bytes.length ? 4 : 0));
      client.send(data(1, EMPTY_MESSAGE));
    },
  },
  {
    what: 'in eight frames is taken',
    expect: 'answered',
    send(client) {
      const bytes = call();
      client.send(headers(1, bytes.subarray(0, 1), 0));
      for (let i = 1; i < 7; i += 1) client.send(continuation(1, bytes.subarray(i, i + 1), 0));
      client.send(continuation(1, bytes.subarray(7)), data(1, EMPTY_MESSAGE));
    },
  },
  {
    what: 'of nothing is a malformed request',
    expect: ['stream PROTOCOL_ERROR', 'connection PROTOCOL_ERROR'],
    send: (client) => client.send(headers(1, Buffer.alloc(0), 4)),
  },
]);

/** What it costs us to look at: RFC 9113, 6.5.2 counts 32 bytes for each header. */
hostileCases('a list of headers', [
  one('above 16 KiB of one value is refused', [...TOO_LARGE, 'connection ENHANCE_YOUR_CALM'], call(), plain('x', 'y'.repeat(16_200))),
  one(
    'of 16 000 references of a byte each is refused',
    [...TOO_LARGE, 'connection ENHANCE_YOUR_CALM'],
    call(),
    kept('a', ''),
    Buffer.alloc(16_000, 0x80 | FIRST_DYNAMIC),
  ),
  one(
    'of 12 000 references to 4000 bytes (48 MB, a bomb) is refused',
    [...TOO_LARGE, 'connection ENHANCE_YOUR_CALM'],
    call(),
    kept('a', 'x'.repeat(4000)),
    Buffer.alloc(12_000, 0x80 | FIRST_DYNAMIC),
  ),
  one(
    'of references to pseudo-headers, again and again, is refused',
    [...TOO_LARGE, 'connection ENHANCE_YOUR_CALM', 'connection PROTOCOL_ERROR'],
    Buffer.alloc(16_000, 0x83),
  ),
  one(
    'with values that are empty, thousands of them, is refused',
    [...TOO_LARGE, 'connection ENHANCE_YOUR_CALM'],
    call(),
    ...Array.from({ length: 3000 }, () => plain('a', '')),
  ),
]);

describe.each(CODECS)('the dynamic table, codec %s', (codec) => {
  const dynamic = indexed(FIRST_DYNAMIC);
  const path = kept(':path', '/opentelemetry.proto.collector.trace.v1.TraceService/Export');
  /** A call whose path comes from the entry that another stream has put into the table: it is answered only where the tables agree. */
  const byTable = block(
    call({ ':path': undefined, 'content-type': undefined, te: undefined }),
    dynamic,
    call({ ':method': undefined, ':scheme': undefined, ':path': undefined, ':authority': undefined }),
  );
  const first = block(plain(':method', 'POST'), plain(':scheme', 'http'), path);

  it.each([
    [
      'that is reset at once',
      (): Buffer[] => [
        headers(1, block(first, call({ ':method': undefined, ':scheme': undefined, ':path': undefined, ':authority': undefined }))),
        reset(1),
      ],
    ],
    ['whose headers are malformed', (): Buffer[] => [headers(1, block(first, plain('UPPER', 'case')))]],
    [
      'whose headers are too many',
      (): Buffer[] => [frames(1, block(first, ...Array.from({ length: 100 }, (_, i) => plain(`x-${i}`, 'y'.repeat(300)))))],
    ],
    [
      'that is one too many',
      (): Buffer[] => [
        ...[1, 3, 5, 7].map((stream) => headers(stream)),
        headers(9, block(first)),
        ...[1, 3, 5, 7].map((stream) => reset(stream)),
      ],
    ],
    [
      'whose trailers have it',
      (): Buffer[] => [headers(1), headers(1, kept(':path', '/opentelemetry.proto.collector.trace.v1.TraceService/Export'), 5)],
    ],
  ])('agrees with the client after a request %s', async (_what, before) => {
    const target = await HostileTarget.start(codec, { maxConcurrentStreams: 4 });
    const client = target.speak();
    client.send(...before());
    await client.settled();
    expect([await client.verdict(99), client.isClosed]).toEqual(['taken', false]);
    client.send(wholeCall(11, byTable));
    expect(await client.until(() => client.answered(11))).toBe(true);
    client.close();
    await target.servesOthers();
    await target.end();
  });
});

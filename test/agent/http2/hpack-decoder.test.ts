import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from '../../../agent/http2/hpack-decoder.ts';
import { responseBlock } from '../../../agent/http2/response-block.ts';
import type { RequestHeaders } from '../../../agent/http2/server.ts';
import { createServerSession } from '../../../agent/http2/server-session.ts';
import { socketWire } from '../../../agent/runtime/wire.ts';
import { OK_HEADERS, OPTIONS } from './script-wire.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function decode(decoder: HpackDecoder, bytes: Uint8Array): string[] | undefined {
  if (!decoder.decode(bytes, 0, bytes.length)) return undefined;
  return decoder.fields.slice(0, decoder.count).map(({ name, value }) => `${name}: ${value}`);
}

/** Table of 256 bytes, as appendix C.5 and C.6 have it. */
const TABLE_OF_256 = '3fe101';

const VECTORS: readonly (readonly [name: string, blocks: readonly (readonly [hex: string, fields: readonly string[]])[]])[] = [
  ['C.2.1 literal with indexing', [['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', ['custom-key: custom-header']]]],
  ['C.2.2 literal without indexing', [['040c 2f73 616d 706c 652f 7061 7468', [':path: /sample/path']]]],
  ['C.2.3 literal never indexed', [['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password: secret']]]],
  ['C.2.4 indexed', [['82', [':method: GET']]]],
  [
    'C.3 requests without Huffman',
    [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com']],
      [
        '8286 84be 5808 6e6f 2d63 6163 6865',
        [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
      ],
      [
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
        [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
      ],
    ],
  ],
  [
    'C.4 requests with Huffman',
    [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com']],
      [
        '8286 84be 5886 a8eb 1064 9cbf',
        [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
      ],
      [
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
        [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
      ],
    ],
  ],
  [
    'C.6 answers with Huffman, entries evicted',
    [
      [
        `${TABLE_OF_256} 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        [':status: 302', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com'],
      ],
      [
        '4883 640e ffc1 c0bf',
        [':status: 307', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com'],
      ],
      [
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
        [
          ':status: 200',
          'cache-control: private',
          'date: Mon, 21 Oct 2013 20:13:22 GMT',
          'location: https://www.example.com',
          'content-encoding: gzip',
          'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
        ],
      ],
    ],
  ],
];

describe('the HPACK decoder', () => {
  it.each(VECTORS)('reads RFC 7541, appendix %s', (_name, blocks) => {
    const decoder = new HpackDecoder(16_384);
    for (const [bytes, fields] of blocks) expect(decode(decoder, hex(bytes))).toEqual(fields);
  });

  it.each([
    ['index 0', '80'],
    ['an index that is not there', 'be'],
    ['an index that does not end', 'ff'],
    ['an index of more than 32 bits', 'ff ffffffff ffffffff 7f'],
    ['an integer with zeros without end', 'ff 8080808080808080808080 00'],
    ['a name index that is not there', '7f 0f 01 61'],
    ['a name without its value', '40 01 61'],
    ['a string longer than the block', '40 7e 61'],
    ['a Huffman string with EOS', '00 84 ffffffff 00'],
    ['a Huffman string padded by zeros', '00 81 00 00'],
    ['a Huffman string padded by a byte', '00 82 1fff 00'],
    ['a table above what we allow', '3f e2 1f'],
    ['a new table size after a field', '82 20'],
    ['a table size that does not end', '3f'],
  ])('fails on %s', (_name, bytes) => {
    expect(decode(new HpackDecoder(16_384), hex(bytes))).toBeUndefined();
  });

  it('counts a header list to its end, and keeps no more of it than the limit', () => {
    const decoder = new HpackDecoder(200);
    const field = hex('40 01 61 01 62'); // "a: b", 34 bytes
    expect(decode(decoder, Buffer.concat([field, ...new Array<Buffer>(99).fill(hex('be'))]))).toHaveLength(5);
    expect(decoder.listBytes).toBe(3400);
  });

  it('empties its table for an entry that is larger, and for a size of 0', () => {
    for (const emptied of [Buffer.concat([hex('40 01 61 7f e1 1f'), Buffer.alloc(4192, 'x')]), hex('20')]) {
      const decoder = new HpackDecoder(16_384);
      expect(decode(decoder, hex('40 01 61 01 62'))).toEqual(['a: b']);
      expect(decode(decoder, emptied)).toBeDefined();
      expect(decode(decoder, hex('be'))).toBeUndefined();
    }
  });

  it('never holds more than its table, whatever is sent: 128 entries of nothing, and the oldest go', () => {
    const decoder = new HpackDecoder(1_000_000);
    for (let i = 0; i < 1000; i += 1) {
      const name = Buffer.from(String(i));
      expect(decode(decoder, Buffer.concat([Buffer.of(0x40, name.length), name, Buffer.of(0)]))).toEqual([`${i}: `]);
    }
    // "999" has 35 bytes: 117 of them fit.
    expect(decode(decoder, Buffer.of(0xbe))).toEqual(['999: ']);
    expect(decode(decoder, Buffer.of(0xff, 62 + 116 - 127))).toEqual(['883: ']);
    expect(decode(decoder, Buffer.of(0xff, 62 + 117 - 127))).toBeUndefined();
  });

  it('neither throws nor hangs on any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }), (blocks) => {
        const decoder = new HpackDecoder(1000);
        for (const bytes of blocks) if (decode(decoder, bytes) === undefined) return;
      }),
      { numRuns: 5000 },
    );
  });

  it('reads the blocks of our own answers', () => {
    const headers = { ':status': '200', 'content-type': 'application/grpc', 'grpc-message': 'x'.repeat(300), ':status2': '' };
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    expect(decode(new HpackDecoder(16_384), responseBlock(headers))).toEqual(fields);
    expect(responseBlock(headers)).toBe(responseBlock(headers));
  });
});

/** What nghttp2 lets through as it is: names that mean nothing to HTTP, values without spaces at their ends. */
const names = fc.stringMatching(/^x-[a-z0-9_.]{1,12}$/);
const values = fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/);

it('says what the encoder of node:http2 was told, request after request on one connection', async () => {
  const seen: RequestHeaders[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    createServerSession(socketWire(socket), OPTIONS, {
      stream: (stream) => {
        seen.push(stream.headers);
        stream.respond(OK_HEADERS);
        return undefined;
      },
      ready: () => {},
      ping: () => {},
      fault: (name) => seen.push({ fault: name }),
      closed: () => {},
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, values, { maxKeys: 12 }), async (headers) => {
        seen.length = 0;
        const stream = client.request({ ':path': '/p', ...headers });
        stream.resume();
        await new Promise((resolve) => stream.on('close', resolve));
        const { ':method': _m, ':scheme': _s, ':path': _p, ':authority': _a, ...rest } = { ...seen[0] };
        expect(rest).toEqual({ ...headers });
      }),
      { numRuns: 300 },
    );
  } finally {
    client.destroy();
    server.close();
  }
});

it('reads every printable octet in the code that node:http2 sends it in', async () => {
  // The client of node:http2 encodes in Huffman's code where that is shorter; each printable octet is sent in a value of its own.
  const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i).repeat(40));
  const seen: string[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    createServerSession(
      socketWire(socket),
      { ...OPTIONS, maxHeaderBytes: 64 * 1024 },
      {
        stream: (stream) => {
          for (let i = 0; i < printable.length; i += 1) seen.push(stream.headers[`x-${i}`] ?? '');
          stream.respond(OK_HEADERS);
          return undefined;
        },
        ready: () => {},
        ping: () => {},
        fault: () => {},
        closed: () => {},
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stream = client.request({ ':path': '/p', ...Object.fromEntries(printable.map((value, i) => [`x-${i}`, value])) });
  stream.resume();
  await new Promise((resolve) => stream.on('close', resolve));
  expect(seen).toEqual(printable);
  client.destroy();
  server.close();
});

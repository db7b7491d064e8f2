import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Head, INCOMPLETE, NOT_PLAIN } from '../../../agent/http1/head.ts';

const TARGETS = ['/v1/traces', '/v1/metrics', '/v1/tracesy'].map((path) => Buffer.from(path));
const SEED = Number(process.env.FC_SEED ?? 20_261_121);

function read(text: string, collect = false): { end: number; head: Head } {
  const head = new Head();
  return { end: head.read(Buffer.from(text, 'latin1'), 0, TARGETS, collect), head };
}

const plain = (lines: string): string => `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n${lines}\r\n`;

describe('the head of a plain request', () => {
  it('says target, length, type, encodings and whether it is the last', () => {
    const text =
      'POST /v1/metrics HTTP/1.1\r\nhOST: x\r\nCONTENT-LENGTH:\t 1234 \r\ncontent-type: Application/JSON; charset=utf-8\r\n' +
      'Content-Encoding: gzip\r\nAccept-Encoding: gzip, br\r\nConnection: Close\r\n\r\nbody';
    const { end, head } = read(text);
    expect(end).toBe(text.length - 4);
    expect(head).toMatchObject({
      target: 1,
      length: 1234,
      type: 'application/json',
      encoding: 'gzip',
      acceptEncoding: 'gzip, br',
      close: true,
      metadata: undefined,
    });
  });

  it('tells nothing of the one before', () => {
    const head = new Head();
    head.read(
      Buffer.from(plain('Content-Type: text/plain\r\nContent-Encoding: gzip\r\nAccept-Encoding: x\r\nConnection: close\r\n')),
      0,
      TARGETS,
      true,
    );
    const text = Buffer.from('POST /v1/tracesy HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    expect(head.read(text, 0, TARGETS, false)).toBe(text.length);
    expect(head).toMatchObject({
      target: 2,
      length: 0,
      type: '',
      encoding: undefined,
      acceptEncoding: undefined,
      close: false,
      metadata: undefined,
    });
  });

  it('has all headers where they are wanted, repeated ones one by one', () => {
    const { head } = read(plain('X-Tenant: a\r\nx-tenant:  b \r\nX-Empty:\r\nX-Latin: \xe4\r\n'), true);
    expect([...(head.metadata ?? [])]).toEqual([
      ['host', ['x']],
      ['content-length', ['12']],
      ['x-tenant', ['a', 'b']],
      ['x-empty', ['']],
      ['x-latin', ['\xe4']],
    ]);
  });

  it('is incomplete wherever it is cut, and never anything else', () => {
    const text = plain('Content-Type: application/x-protobuf\r\nConnection: keep-alive\r\nX-A: b c\r\n');
    for (let cut = 0; cut < text.length; cut += 1) expect([cut, read(text.slice(0, cut)).end]).toEqual([cut, INCOMPLETE]);
    expect(read(text).end).toBe(text.length);
  });

  it(`is found to be none by no more bytes than say so, and stays none (seed ${SEED})`, () => {
    const text = plain('Content-Type: application/x-protobuf\r\n');
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(255), fc.string({ maxLength: 20 }), (at, byte, more) => {
        const changed = `${text.slice(0, at)}${String.fromCharCode(byte)}${text.slice(at + 1)}`;
        let before = INCOMPLETE as number;
        for (let cut = 0; cut <= changed.length; cut += 1) {
          const { end } = read(changed.slice(0, cut));
          if (before !== INCOMPLETE) expect(end).toBe(before);
          before = end;
        }
        // What comes behind changes nothing once it is decided.
        if (before !== INCOMPLETE) expect(read(changed + more).end).toBe(before);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it.each([
    ['another method', 'PUT /v1/traces HTTP/1.1\r\n'],
    ['another target', 'POST /v1/trace HTTP/1.1\r\n'],
    ['a target with more', 'POST /v1/traces/ HTTP/1.1\r\n'],
    ['another version', 'POST /v1/traces HTTP/1.0\r\n'],
    ['a bare line feed', 'POST /v1/traces HTTP/1.1\n'],
    ['no Host', 'POST /v1/traces HTTP/1.1\r\nContent-Length: 1\r\n\r\n'],
    ['no length', 'POST /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['two lengths', plain('Content-Length: 12\r\n')],
    ['a length that is too long', 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 12345678901\r\n'],
    ['Transfer-Encoding', plain('Transfer-Encoding: chunked\r\n')],
    ['Expect', plain('expect: 100-continue\r\n')],
    ['Upgrade', plain('Upgrade: h2c\r\n')],
    ['Origin', plain('Origin: https://a.test\r\n')],
    ['Trailer', plain('Trailer: x\r\n')],
    ['Connection with more', plain('Connection: keep-alive, x\r\n')],
    ['two Connections', plain('Connection: close\r\nConnection: close\r\n')],
    ['a folded line', plain('X-A: b\r\n c\r\n')],
    ['NUL', plain('X-A: b\0\r\n')],
    ['headers of more than 16 KiB', plain(`X-A: ${'b'.repeat(16 * 1024)}\r\n`)],
    ['more than 64 lines', plain('X-A: b\r\n'.repeat(64))],
  ])('fails on %s, which is left to node:http', (_what, text) => {
    expect(read(text).end).toBe(NOT_PLAIN);
  });
});

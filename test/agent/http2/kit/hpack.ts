/** Header blocks by hand, wrong ones too (RFC 7541): each function gives the bytes of one representation, to be put in a row by `block`. */

export const block = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

/** RFC 7541, 5.1: an integer with a prefix of `bits`; `pattern` are the bits before it. */
export function integer(pattern: number, bits: number, value: number): Buffer {
  const max = 2 ** bits - 1;
  if (value < max) return Buffer.from([pattern | value]);
  const out = [pattern | max];
  let rest = value - max;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
  return Buffer.from(out);
}

/** 6.1: name and value from the table. */
export const indexed = (index: number): Buffer => integer(0x80, 7, index);
/** 6.3 */
export const tableSize = (bytes: number): Buffer => integer(0x20, 5, bytes);

/** 5.2, not Huffman coded. */
export function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string, 'latin1');
  return Buffer.concat([integer(0, 7, bytes.length), bytes]);
}

/** 5.2, said to be Huffman coded, whatever the bytes are. */
export const huffman = (...bytes: readonly number[]): Buffer => Buffer.concat([integer(0x80, 7, bytes.length), Buffer.from(bytes)]);

/** 6.2.2: neither taken from the table nor put into it. */
export const plain = (name: string, value: string): Buffer => Buffer.concat([Buffer.from([0]), text(name), text(value)]);
/** 6.2.1: put into the table, as entry 62. */
export const kept = (name: string, value: string): Buffer => Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
/** 6.2.3 */
export const never = (name: string, value: string): Buffer => Buffer.concat([Buffer.from([0x10]), text(name), text(value)]);

/** Where the first entry of the dynamic table stands. */
export const FIRST_DYNAMIC = 62;
/** RFC 7541, 4.2 with RFC 9113, 6.5.2: of both tables, as long as no SETTINGS says otherwise. */
export const TABLE_BYTES = 4096;

const CALL: Readonly<Record<string, string>> = {
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  ':authority': 'hostile',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** The headers of a call that is in order but for what is given: another value, or undefined for none. */
export function call(changes: Readonly<Record<string, string | undefined>> = {}): Buffer {
  const all = { ...CALL, ...changes };
  return block(...Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [plain(name, value)])));
}

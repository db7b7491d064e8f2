/**
 * The Huffman code of HPACK (RFC 7541, 5.2 and appendix B), decoded by table: 8 bits a step. The code is canonical (shorter codes first,
 * then by symbol), so that the lengths say everything; `28x7` are seven symbols of 28 bits.
 */
const LENGTHS = [
  // 0 to 31
  '13 23 28x7 24 30 28x2 30 28x8 30 28x9',
  // ' ' to '?'
  '6 10x2 12 13 6 8 11 10x2 8 11 8 6x3 5x3 6x7 7 8 15 6 12 10',
  // '@' to '_'
  '13 6 7x22 8 7 8 13 19 13 14 6',
  // '`' to DEL
  '15 5 6 5 6 5 6x3 5 7x2 6x3 5 6 7 6 5x2 6 7x5 15 11 14 13 28',
  // 128 to 191
  '20 22 20x2 22x3 23 22 23x5 24 23 24x2 22 23 24 23x4 21 22 23 22 23x2 24 22 21 20 22x2 23x2 21 23 22x2 24 21 22 23x2 21x2 22 21 23 22 23x2 20 22x3 23 22x2 23',
  // 192 to 255, then EOS
  '26x2 20 19 22 23 22 25 26x3 27x2 26 24 25 19 21 26 27x2 26 27 24 21x2 26x2 28 27x3 20 24 20 21 22 21x2 23 22x2 25x2 24x2 26 23 26 27 26x2 27x5 28 27x5 26 30',
]
  .flatMap((line) => line.split(' '))
  .flatMap((run) => {
    const [bits, symbols = '1'] = run.split('x');
    return new Array<number>(Number(symbols)).fill(Number(bits));
  });
const EOS = 256;

/**
 * Tables of 256 entries, one after the other, the first for the first 8 bits of a code. An entry is 0 (no code), a symbol with the bits
 * that it takes of these 8 (`SYMBOL | bits << 9 | symbol`), or the number of the table that goes on.
 */
const SYMBOL = 1 << 16;
const TABLE = buildTable();

/**
 * Decodes `from..to` into `out`, which is long enough (8 bytes for 5). The number of bytes, or -1: EOS in it, or a padding that is not
 * the beginning of EOS or as long as a byte (RFC 7541, 5.2).
 */
export function huffmanDecode(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  let written = 0;
  let held = 0; // bits that are read and not used, the last `bits` of it
  let bits = 0;
  let table = 0;
  for (let at = from; at < to; ) {
    held = ((held << 8) | (bytes[at] as number)) & 0xffff;
    at += 1;
    bits += 8;
    while (bits >= 8) {
      const entry = TABLE[table + ((held >>> (bits - 8)) & 0xff)] as number;
      if (entry >= SYMBOL) {
        out[written] = entry & 0xff;
        written += 1;
        bits -= (entry >>> 9) & 15;
        table = 0;
      } else {
        if (entry === 0) return -1;
        bits -= 8;
        table = entry;
      }
    }
  }
  // Less than 8 bits are left: symbols that end in them, then ones.
  while (bits > 0) {
    const entry = TABLE[table + ((held << (8 - bits)) & 0xff)] as number;
    const length = entry >= SYMBOL ? (entry >>> 9) & 15 : 9;
    if (length > bits) break;
    out[written] = entry & 0xff;
    written += 1;
    bits -= length;
    table = 0;
  }
  // In a later table the padding is a byte or more: 8 ones were read before.
  return table === 0 && (held & ((1 << bits) - 1)) === (1 << bits) - 1 ? written : -1;
}

function buildTable(): Int32Array {
  const tables: number[][] = [new Array<number>(256).fill(0)];
  // At each start, and in worker threads: in the order of the codes, as looking for the symbols of each length took 1.5 ms, three times as long.
  const order = LENGTHS.map((bits, symbol) => bits * 512 + symbol).sort((a, b) => a - b);
  let code = 0;
  let before = 0;
  for (const one of order) {
    const bits = one >>> 9;
    const symbol = one & 511;
    code <<= bits - before;
    before = bits;
    if (symbol !== EOS) place(tables, symbol, code, bits);
    code += 1;
  }
  return Int32Array.from(tables.flat());
}

function place(tables: number[][], symbol: number, code: number, bits: number): void {
  let table = tables[0] as number[];
  let left = bits;
  for (; left > 8; left -= 8) {
    const step = (code >>> (left - 8)) & 0xff;
    if (table[step] === 0) {
      table[step] = tables.length * 256;
      tables.push(new Array<number>(256).fill(0));
    }
    table = tables[(table[step] as number) / 256] as number[];
  }
  const first = (code << (8 - left)) & 0xff;
  table.fill(SYMBOL | (left << 9) | symbol, first, first + (1 << (8 - left)));
}

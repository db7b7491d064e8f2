/**
 * The Huffman code of HPACK (RFC 7541, 5.2 and appendix B), decoded by table: 8 bits a step. The code is canonical (shorter codes first,
 * then by symbol), so that the lengths say everything; runs of equal lengths are written as [length, how many symbols].
 */
const RUNS: readonly (readonly [bits: number, symbols: number])[] = [
  // 0 to 31
  ...([
    [13, 1],
    [23, 1],
    [28, 7],
    [24, 1],
    [30, 1],
    [28, 2],
    [30, 1],
    [28, 8],
    [30, 1],
    [28, 9],
  ] as const),
  // ' ' to '?'
  ...([
    [6, 1],
    [10, 2],
    [12, 1],
    [13, 1],
    [6, 1],
    [8, 1],
    [11, 1],
    [10, 2],
    [8, 1],
    [11, 1],
    [8, 1],
    [6, 3],
    [5, 3],
    [6, 7],
  ] as const),
  ...([
    [7, 1],
    [8, 1],
    [15, 1],
    [6, 1],
    [12, 1],
    [10, 1],
  ] as const),
  // '@' to '_'
  ...([
    [13, 1],
    [6, 1],
    [7, 22],
    [8, 1],
    [7, 1],
    [8, 1],
    [13, 1],
    [19, 1],
    [13, 1],
    [14, 1],
    [6, 1],
  ] as const),
  // '`' to DEL
  ...([
    [15, 1],
    [5, 1],
    [6, 1],
    [5, 1],
    [6, 1],
    [5, 1],
    [6, 3],
    [5, 1],
    [7, 2],
    [6, 3],
    [5, 1],
    [6, 1],
    [7, 1],
    [6, 1],
  ] as const),
  ...([
    [5, 2],
    [6, 1],
    [7, 5],
    [15, 1],
    [11, 1],
    [14, 1],
    [13, 1],
    [28, 1],
  ] as const),
  // 128 to 191
  ...([
    [20, 1],
    [22, 1],
    [20, 2],
    [22, 3],
    [23, 1],
    [22, 1],
    [23, 5],
    [24, 1],
    [23, 1],
    [24, 2],
    [22, 1],
    [23, 1],
    [24, 1],
  ] as const),
  ...([
    [23, 4],
    [21, 1],
    [22, 1],
    [23, 1],
    [22, 1],
    [23, 2],
    [24, 1],
    [22, 1],
    [21, 1],
    [20, 1],
    [22, 2],
    [23, 2],
    [21, 1],
  ] as const),
  ...([
    [23, 1],
    [22, 2],
    [24, 1],
    [21, 1],
    [22, 1],
    [23, 2],
    [21, 2],
    [22, 1],
    [21, 1],
    [23, 1],
    [22, 1],
    [23, 2],
    [20, 1],
  ] as const),
  ...([
    [22, 3],
    [23, 1],
    [22, 2],
    [23, 1],
  ] as const),
  // 192 to 255, then EOS
  ...([
    [26, 2],
    [20, 1],
    [19, 1],
    [22, 1],
    [23, 1],
    [22, 1],
    [25, 1],
    [26, 3],
    [27, 2],
    [26, 1],
    [24, 1],
    [25, 1],
    [19, 1],
  ] as const),
  ...([
    [21, 1],
    [26, 1],
    [27, 2],
    [26, 1],
    [27, 1],
    [24, 1],
    [21, 2],
    [26, 2],
    [28, 1],
    [27, 3],
    [20, 1],
    [24, 1],
    [20, 1],
  ] as const),
  ...([
    [21, 1],
    [22, 1],
    [21, 2],
    [23, 1],
    [22, 2],
    [25, 2],
    [24, 2],
    [26, 1],
    [23, 1],
    [26, 1],
    [27, 1],
    [26, 2],
    [27, 5],
  ] as const),
  ...([
    [28, 1],
    [27, 5],
    [26, 1],
    [30, 1],
  ] as const),
];
const EOS = 256;
const LONGEST_BITS = 30;

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
  const lengths = RUNS.flatMap(([bits, symbols]) => new Array<number>(symbols).fill(bits));
  const tables: number[][] = [new Array<number>(256).fill(0)];
  let code = 0;
  for (let bits = 1; bits <= LONGEST_BITS; bits += 1) {
    for (const [symbol, length] of lengths.entries()) {
      if (length !== bits) continue;
      if (symbol !== EOS) place(tables, symbol, code, bits);
      code += 1;
    }
    code *= 2;
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

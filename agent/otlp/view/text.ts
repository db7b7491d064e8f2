/** Texts from bytes. */

interface Slices {
  utf8Slice(from: number, end: number): string;
}

/** The text in [from, end); what is not UTF-8 is U+FFFD. What Buffer.toString calls, without what that does before: 60 instead of 100 ns. */
export function textOf(buf: Buffer, from: number, end: number): string {
  return from === end ? '' : (buf as unknown as Slices).utf8Slice(from, end);
}

/** Whether all bytes of [from, end) are ASCII. */
export function isAscii(buf: Uint8Array, from: number, end: number): boolean {
  for (let i = from; i < end; i += 1) if ((buf[i] as number) >= 0x80) return false;
  return true;
}

/** Of attributes the keys are the same all the time: those seen last, by their bytes. Comparing them takes a third of decoding them. */
const SEEN = 512;
const LONGEST = 64;
const seen: ({ readonly bytes: Uint8Array; readonly text: string } | undefined)[] = new Array(SEEN).fill(undefined);

/** The same for the key of an attribute. */
export function keyTextOf(buf: Buffer, from: number, end: number): string {
  const length = end - from;
  if (length === 0 || length > LONGEST) return textOf(buf, from, end);
  const place =
    (length * 31 + (buf[from] as number) * 7 + (buf[from + (length >> 1)] as number) * 17 + (buf[end - 1] as number) * 13) & (SEEN - 1);
  const known = seen[place];
  if (known !== undefined && known.bytes.length === length) {
    const { bytes } = known;
    let i = 0;
    while (i < length && bytes[i] === buf[from + i]) i += 1;
    if (i === length) return known.text;
  }
  const text = textOf(buf, from, end);
  seen[place] = { bytes: new Uint8Array(buf.subarray(from, end)), text };
  return text;
}

/** Keys for which an answer is kept; all are forgotten when there are more, as only hostile data has that many. */
const MOST_REMEMBERED = 1024;

/** `ask` for keys of attributes, asked once for each that comes again and again. */
export function remembered<T>(ask: (key: string) => T): (key: string) => T {
  const answers = new Map<string, T>();
  return (key) => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = ask(key);
    if (key.length > LONGEST) return answer;
    if (answers.size >= MOST_REMEMBERED) answers.clear();
    answers.set(key, answer);
    return answer;
  };
}

/** Characters of patterns of Go that are the same in JavaScript: regexp-pattern.ts. */

/** Which characters: by code up to 127, and at 128 whether any others. */
export type CharSet = readonly boolean[];

/** Not one of those patterns. */
export class Unknown extends Error {}

/** Members of a class of JavaScript. */
export const CLASSES: Readonly<Record<string, string | undefined>> = { d: '0-9', w: '0-9A-Za-z_', s: '\\t\\n\\f\\r ' };
const CONTROLS: Readonly<Record<string, string | undefined>> = { t: '\t', n: '\n', f: '\f', r: '\r', v: '\v' };

export function escapedLetter(char: string): string {
  const control = CONTROLS[char];
  if (control !== undefined) return control;
  // Punctuation means itself; letters and digits mean more.
  if (!/^[!-/:-@[-`{-~]$/u.test(char)) throw new Unknown();
  return char;
}

export function setOf(isIn: (code: number) => boolean, others: boolean): CharSet {
  return Array.from({ length: 129 }, (_, code) => (code === 128 ? others : isIn(code)));
}

export function membersSet(members: string, isNegated: boolean): CharSet {
  const one = new RegExp(`[${members}]`, 'u');
  return setOf((code) => one.test(String.fromCharCode(code)) !== isNegated, isNegated);
}

/** As a number, so that nothing of it means anything. */
export function codeScript(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

import { type CharSet, CLASSES, codeScript, escapedLetter, membersSet, setOf, Unknown } from './regexp-chars.ts';

/** What a pattern of Go is made of, as far as JavaScript means the same by it. */
export type Node = { /** The shortest text that matches. */ readonly least: number } & (
  | { readonly kind: 'char'; readonly set: CharSet }
  | { readonly kind: 'start' | 'other' }
  | { readonly kind: 'all'; readonly parts: readonly Node[]; readonly hasGroup: boolean }
  | { readonly kind: 'one'; readonly of: readonly Node[]; readonly hasGroup: boolean }
  | { readonly kind: 'repeat'; readonly of: Node; readonly atLeast: number; readonly atMost: number }
);

export interface Pattern {
  readonly root: Node;
  /** The same for JavaScript, with the flag u. */
  readonly script: string;
  readonly ignoresCase: boolean;
}

/**
 * Reads a pattern that Go takes; undefined where it holds anything beyond what is known here to be the same in JavaScript:
 *  - `.` is all but a line feed, `\s` five characters, `\w` ASCII: written out as classes;
 *  - `(?i)` and `(?s)` at the beginning alone. Ignoring case only letters of ASCII, and no classes that are not folded in Go;
 *  - no repetition of what may be empty or holds groups, whose rounds the two count and remember differently; unbounded ones only of
 *    single characters.
 */
export function readPattern(source: string): Pattern | undefined {
  const flags = /^\(\?([is]+)\)/u.exec(source);
  const reader = new Reader(source, flags?.[0].length ?? 0, flags?.[1] ?? '');
  try {
    const { node, script } = reader.alternatives();
    return reader.isAtEnd ? { root: node, script, ignoresCase: reader.ignoresCase } : undefined;
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

interface Read {
  readonly node: Node;
  readonly script: string;
}

class Reader {
  readonly ignoresCase: boolean;
  readonly #dotIsAll: boolean;
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string, from: number, flags: string) {
    this.#chars = [...source.slice(from)];
    this.ignoresCase = flags.includes('i');
    this.#dotIsAll = flags.includes('s');
  }

  get isAtEnd(): boolean {
    return this.#at === this.#chars.length;
  }

  alternatives(): Read {
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) throw new Unknown();
    const all: Read[] = [this.#sequence()];
    while (this.#took('|')) all.push(this.#sequence());
    this.#depth -= 1;
    if (all.length === 1) return all[0] as Read;
    const of = all.map(({ node }) => node);
    return {
      node: { kind: 'one', of, least: Math.min(...of.map(({ least }) => least)), hasGroup: of.some(hasGroup) },
      script: all.map(({ script }) => script).join('|'),
    };
  }

  #sequence(): Read {
    const parts: Read[] = [];
    while (!this.isAtEnd && this.#peek() !== '|' && this.#peek() !== ')') parts.push(this.#repeated());
    const nodes = parts.map(({ node }) => node);
    return {
      node: { kind: 'all', parts: nodes, least: nodes.reduce((sum, { least }) => sum + least, 0), hasGroup: nodes.some(hasGroup) },
      script: parts.map(({ script }) => script).join(''),
    };
  }

  #repeated(): Read {
    const read = this.#atom();
    const times = this.#times();
    if (times === undefined) return read;
    const { node } = read;
    const [least, most] = times;
    const isSingle = node.kind === 'char';
    if (node.kind === 'start' || node.kind === 'other' || (most === Number.POSITIVE_INFINITY && !isSingle)) throw new Unknown();
    if (!isSingle && (node.least === 0 || (most > 1 && hasGroup(node)))) throw new Unknown();
    const lazy = this.#took('?') ? '?' : '';
    // A repetition of a repetition is an error of Go's, or was.
    if (/^[*+?{]$/u.test(this.#peek() ?? '')) throw new Unknown();
    const written = most === Number.POSITIVE_INFINITY ? `{${least},}` : `{${least},${most}}`;
    return {
      node: { kind: 'repeat', of: node, least: least * node.least, atLeast: least, atMost: most },
      script: `${read.script}${written}${lazy}`,
    };
  }

  #times(): readonly [number, number] | undefined {
    if (this.#took('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#took('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#took('?')) return [0, 1];
    if (this.#peek() !== '{') return undefined;
    const found = /^\{(\d{1,4})(,(\d{0,4}))?\}/u.exec(this.#chars.slice(this.#at, this.#at + 12).join(''));
    // A brace that begins no repetition is a letter in Go.
    if (found === null) throw new Unknown();
    this.#at += found[0].length;
    const least = Number(found[1]);
    return [least, found[2] === undefined ? least : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])];
  }

  #atom(): Read {
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '.':
        return this.#dotIsAll
          ? charOf(new Array(129).fill(true), '[^]')
          : charOf(
              setOf((code) => code !== 10, true),
              '[^\\n]',
            );
      case '^':
        return { node: { kind: 'start', least: 0 }, script: '^' };
      case '$':
        return { node: { kind: 'other', least: 0 }, script: '$' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        throw new Unknown();
      default:
        return this.#letter(char);
    }
  }

  #group(): Read {
    let opening = '(';
    if (this.#took('?')) {
      if (this.#took(':')) opening = '(?:';
      else {
        const named = /^P?<[A-Za-z_][A-Za-z0-9_]*>/u.exec(this.#chars.slice(this.#at, this.#at + MOST_NAME).join(''));
        if (named === null) throw new Unknown();
        this.#at += named[0].length;
      }
    }
    const { node, script } = this.alternatives();
    if (!this.#took(')')) throw new Unknown();
    const isGroup = opening === '(';
    // Of one part, so that a single character in a group is seen as such only where it is no group of its own.
    return {
      node: { kind: 'all', parts: [node], least: node.least, hasGroup: isGroup || hasGroup(node) },
      script: `${opening}${script})`,
    };
  }

  #escape(): Read {
    const char = this.#next();
    if (char === 'A') return { node: { kind: 'start', least: 0 }, script: '^' };
    if (char === 'z') return { node: { kind: 'other', least: 0 }, script: '$' };
    if ((char === 'b' || char === 'B') && !this.ignoresCase) return { node: { kind: 'other', least: 0 }, script: `\\${char}` };
    const members = CLASSES[char.toLowerCase()];
    if (members !== undefined) {
      if (this.ignoresCase && char !== 'd' && char !== 's') throw new Unknown();
      const isNegated = char !== char.toLowerCase();
      return charOf(membersSet(members, isNegated), `[${isNegated ? '^' : ''}${members}]`);
    }
    return this.#letter(escapedLetter(char));
  }

  #class(): Read {
    const isNegated = this.#took('^');
    // Only where case matters: what is folded first, the letters or the negation, is not to be relied on.
    if (isNegated && this.ignoresCase) throw new Unknown();
    if (this.#peek() === ']') throw new Unknown();
    let script = '';
    const set: boolean[] = new Array(129).fill(false);
    while (!this.#took(']')) {
      const { low, members } = this.#member();
      if (members !== undefined) {
        script += members;
        membersSet(members, false).forEach((isIn, i) => {
          if (isIn) set[i] = true;
        });
        continue;
      }
      let high = low;
      if (this.#peek() === '-' && this.#chars[this.#at + 1] !== ']') {
        this.#at += 1;
        const end = this.#member();
        if (end.members !== undefined || end.low < low) throw new Unknown();
        high = end.low;
      }
      script += high === low ? codeScript(low) : `${codeScript(low)}-${codeScript(high)}`;
      this.#include(set, low, high);
    }
    return charOf(isNegated ? set.map((isIn, i) => i === 128 || !isIn) : set, `[${isNegated ? '^' : ''}${script}]`);
  }

  #member(): { readonly low: number; readonly members?: string } {
    const char = this.#next();
    if (char === '[') throw new Unknown();
    if (char !== '\\') return { low: this.#code(char) };
    const escaped = this.#next();
    const members = CLASSES[escaped];
    if (members === undefined) return { low: this.#code(escapedLetter(escaped)) };
    if (this.ignoresCase && escaped === 'w') throw new Unknown();
    return { low: 0, members };
  }

  #letter(char: string): Read {
    const code = this.#code(char);
    const set: boolean[] = new Array(129).fill(false);
    this.#include(set, code, code);
    return charOf(set, codeScript(code));
  }

  #code(char: string): number {
    const code = char.codePointAt(0) as number;
    if ((code >= 0x80 && this.ignoresCase) || (code >= 0xd800 && code < 0xe000)) throw new Unknown();
    return code;
  }

  #include(set: boolean[], low: number, high: number): void {
    for (let code = low; code <= Math.min(high, 128); code += 1) {
      set[Math.min(code, 128)] = true;
      const letter = code | 0x20;
      if (!this.ignoresCase || letter < 97 || letter > 122) continue;
      set[letter] = true;
      set[letter - 32] = true;
      // K and S have siblings beyond ASCII.
      if (letter === 107 || letter === 115) set[128] = true;
    }
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #next(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw new Unknown();
    this.#at += 1;
    return char;
  }

  #took(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }
}

const MOST_DEPTH = 50;
const MOST_NAME = 64;

function hasGroup(node: Node): boolean {
  if (node.kind === 'repeat') return hasGroup(node.of);
  return (node.kind === 'all' || node.kind === 'one') && node.hasGroup;
}

function charOf(set: CharSet, script: string): Read {
  return { node: { kind: 'char', set, least: 1 }, script };
}

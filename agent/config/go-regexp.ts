import { RE2JS, RE2JSException } from 're2js';
import { type NativeRegExp, nativeOf } from './native-regexp.ts';

/**
 * Go's regular expressions (RE2 syntax, https://pkg.go.dev/regexp/syntax), as configuration files of the Collector hold them.
 *
 * They run on re2js, a port of RE2, and not on JavaScript's own engine, for three reasons:
 *  - Patterns come from a file, the texts from whoever sends telemetry. `(a+)+$` against 28 letters takes JavaScript 25 s, and even `x*y`
 *    against 20 000 letters takes it 0.5 s; RE2 is linear (13 ms for a text of 1 MB). Nothing has to be refused or cut to be safe.
 *  - One syntax: what Go refuses (look-ahead, back references, possessive quantifiers) is refused, what only Go has (`(?s:.)`, `\pN`,
 *    `[[:alpha:]]`, `\Q..\E`, `\z`) works, and `.`, `\s`, `$` mean what they mean there.
 *
 * The price is 0.2-0.7 µs for a match, where JavaScript takes 0.03-0.05 µs (measured on one core, texts of 10-70 letters). So what is the
 * same in both, and cannot be slow for texts of that length, is asked of JavaScript (native-regexp.ts).
 */
export class GoRegExp {
  /** As written. */
  readonly source: string;
  /** Names of the groups by number; '' for the whole match and for groups without a name. */
  readonly names: readonly string[];
  readonly #program: RE2JS;
  readonly #native: NativeRegExp | undefined;
  /** Texts up to this length are given to it. */
  readonly #longest: number;
  /** Characters that a match has at least, as far as that is known. */
  readonly least: number;

  constructor(source: string, program: RE2JS, native: NativeRegExp | undefined) {
    this.source = source;
    this.#program = program;
    this.#native = native;
    this.#longest = native?.longest ?? -1;
    this.least = native?.least ?? 0;
    const names = new Array<string>(program.groupCount() + 1).fill('');
    for (const [name, group] of Object.entries(program.namedGroups())) names[group] = name;
    this.names = names;
  }

  /** Whether it matches anywhere in the text. */
  test(text: string): boolean {
    if (text.length <= this.#longest) return (this.#native as NativeRegExp).test.test(text);
    return this.#program.test(text);
  }

  /** FindStringSubmatch: the groups of the leftmost match; '' for a group that took no part, undefined without a match. */
  groups(text: string): readonly string[] | undefined {
    if (text.length <= this.#longest) {
      const found = (this.#native as NativeRegExp).test.exec(text);
      return found === null ? undefined : this.names.map((_, group) => found[group] ?? '');
    }
    const at = this.#program.re2().findSubmatchIndex(text) as readonly number[] | null;
    if (at === null) return undefined;
    return this.names.map((_, group) => part(text, at, group));
  }

  /** ReplaceAllString: `$1`, `${1}`, `$name` and `${name}` stand for groups, `$$` for a dollar sign. */
  replaceAll(text: string, template: string): string {
    const each = text.length > this.#longest || template.includes('$') ? undefined : this.#native?.each;
    if (each !== undefined) return text.replace(each, template);
    return this.replaceEach(text, (at) => this.expand(template, text, at));
  }

  /** Replaces every match by what `make` returns; it is given the start and end of each group, -1 for those that took no part. */
  replaceEach(text: string, make: (at: readonly number[]) => string): string {
    const all = this.#all(text);
    if (all === null) return text;
    let out = '';
    let from = 0;
    for (const at of all) {
      out += text.slice(from, at[0]) + make(at);
      from = at[1] as number;
    }
    return out + text.slice(from);
  }

  /** Start and end of each group of each match. */
  #all(text: string): readonly (readonly number[])[] | null {
    const each = text.length > this.#longest ? undefined : this.names.length === 1 ? this.#native?.each : this.#native?.eachWithGroups;
    if (each === undefined) return this.#program.re2().findAllSubmatchIndex(text, -1) as readonly (readonly number[])[] | null;
    const all: (readonly number[])[] = [];
    each.lastIndex = 0;
    for (let found = each.exec(text); found !== null; found = each.exec(text)) {
      const { indices, index } = found;
      all.push(indices === undefined ? [index, index + found[0].length] : indices.flatMap((pair) => pair ?? [-1, -1]));
    }
    return all.length === 0 ? null : all;
  }

  /** Regexp.Expand of Go: an unknown name or number is nothing, a lone dollar sign is itself. */
  expand(template: string, text: string, at: readonly number[]): string {
    if (!template.includes('$')) return template;
    let out = '';
    let pos = 0;
    while (pos < template.length) {
      const dollar = template.indexOf('$', pos);
      if (dollar < 0) break;
      out += template.slice(pos, dollar);
      pos = dollar + 1;
      if (template[pos] === '$') {
        out += '$';
        pos += 1;
        continue;
      }
      const reference = REFERENCE.exec(template.slice(pos));
      if (reference === null) {
        out += '$';
        continue;
      }
      pos += reference[0].length;
      out += this.#group(reference[1] ?? reference[2] ?? '', text, at);
    }
    return out + template.slice(pos);
  }

  #group(name: string, text: string, at: readonly number[]): string {
    if (/^(?:0|[1-9]\d{0,8})$/u.test(name)) return part(text, at, Number(name));
    const group = this.names.indexOf(name);
    return group < 0 ? '' : part(text, at, group);
  }
}

/** `{name}` or the longest name: letters, digits and underscores. */
const REFERENCE = /^(?:\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/u;

function part(text: string, at: readonly number[], group: number): string {
  const start = at[2 * group];
  return start === undefined || start < 0 ? '' : text.slice(start, at[2 * group + 1]);
}

/** Compiles a pattern; `wrong` says why Go would refuse it. `asksNative` false: RE2 alone, for tests that compare the two. */
export function compileGoRegExp(pattern: string, asksNative = true): GoRegExp | { readonly wrong: string } {
  try {
    return new GoRegExp(pattern, RE2JS.compile(pattern), asksNative ? nativeOf(pattern) : undefined);
  } catch (error) {
    if (error instanceof RE2JSException) return { wrong: error.message.replace(/^error parsing regexp: /u, '') };
    throw error;
  }
}

/** The same for callers that only want to know whether it is one. */
export function goRegExp(pattern: string): GoRegExp | undefined {
  const compiled = compileGoRegExp(pattern);
  return compiled instanceof GoRegExp ? compiled : undefined;
}

import { createHmac, hash } from 'node:crypto';
import { compileGoRegExp, type GoRegExp } from '../config/go-regexp.ts';
import { remembered } from '../otlp/view/text.ts';
import type { RedactionSettings } from './redaction-config.ts';

/** What the key of an attribute decides. */
export type Verdict = 'ignored' | 'removed' | 'masked' | 'looked at';

/** What is to happen to which keys and texts. */
export class RedactionRules {
  /** Keys alone decide where there is no pattern for values. */
  readonly looksAtValues: boolean;
  /** Where there is no rule for keys all of them are looked at, and none is read for that. */
  readonly looksAtKeys: boolean;
  /** A text of fewer bytes matches none of the patterns for values. */
  readonly leastBytes: number;
  /** By the key; the order of questions is upstream's. */
  readonly verdict: (key: string) => Verdict;
  readonly #settings: RedactionSettings;

  constructor(settings: RedactionSettings) {
    this.#settings = settings;
    const { allowedKeys, allowedValues, blockedValues, blockedKeyPatterns, ignoredKeys, ignoredKeyPatterns } = settings;
    this.looksAtValues = blockedValues.length + allowedValues.length + blockedKeyPatterns.length > 0;
    this.looksAtKeys = allowedKeys !== undefined || ignoredKeys.size + ignoredKeyPatterns.length + blockedKeyPatterns.length > 0;
    this.leastBytes = Math.min(...[...allowedValues, ...blockedValues].map(({ least }) => least));
    this.verdict = remembered((key) => {
      if (ignoredKeys.has(key) || matchesAny(ignoredKeyPatterns, key)) return 'ignored';
      if (allowedKeys !== undefined && !allowedKeys.has(key)) return 'removed';
      return matchesAny(blockedKeyPatterns, key) ? 'masked' : 'looked at';
    });
  }

  allows(text: string): boolean {
    return matchesAny(this.#settings.allowedValues, text);
  }

  /** One pattern after the other, in the order of the file; upstream's order is that of a Go map, which is any. */
  maskValues(text: string): string {
    let masked = text;
    for (const pattern of this.#settings.blockedValues) if (pattern.test(masked)) masked = this.#mask(masked, pattern);
    return masked;
  }

  /** Line by line, as upstream's does. */
  maskAll(text: string): string {
    everyLine ??= compileGoRegExp('.*') as GoRegExp;
    return this.#mask(text, everyLine);
  }

  #mask(text: string, pattern: GoRegExp): string {
    return pattern.replaceEach(text, (at) => this.#hash(text.slice(at[0], at[1])));
  }

  #hash(text: string): string {
    const { hashFunction, hmacKey } = this.#settings;
    switch (hashFunction) {
      case '':
        return '****';
      case 'sha1':
      case 'md5':
        return hash(hashFunction, text, 'hex');
      case 'sha3':
        return hash('sha3-256', text, 'hex');
      default:
        return createHmac(hashFunction.slice('hmac-'.length), hmacKey).update(text).digest('hex');
    }
  }
}

function matchesAny(patterns: readonly GoRegExp[], text: string): boolean {
  for (const pattern of patterns) if (pattern.test(text)) return true;
  return false;
}

let everyLine: GoRegExp | undefined;

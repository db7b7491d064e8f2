import {
  ALWAYS,
  type Bits56,
  below,
  formatRandomness,
  formatThreshold,
  parseRandomness,
  parseThreshold,
} from './probabilistic-sampler-threshold.ts';

/** What an item says of how it was sampled so far: `rv` and `th` of a span's tracestate, two attributes of a log record. */
export class SamplingState {
  /** As written; '' where there is none. */
  rvalue = '';
  randomness: Bits56 = ALWAYS;
  tvalue = '';
  threshold: Bits56 = ALWAYS;

  setRandomness(randomness: Bits56): void {
    this.randomness = randomness;
    this.rvalue = formatRandomness(randomness);
  }

  clearThreshold(): void {
    this.threshold = ALWAYS;
    this.tvalue = '';
  }

  /** A threshold may only rise: an item that stands for ten does not come to stand for two. */
  raiseThreshold(threshold: Bits56, text: string | undefined): void {
    if (this.tvalue !== '' && below(threshold, this.threshold)) return;
    this.threshold = threshold;
    this.tvalue = text ?? formatThreshold(threshold);
  }
}

const MAX_LENGTH = 1024;
const MAX_MEMBERS = 32;
const MAX_KEY = 256;
const MAX_TENANT = 241;
const MAX_SYSTEM = 14;
const MAX_VALUE = 256;
const MAX_OT_VALUE = 256;

const SIMPLE_KEY = /^[a-z][a-z\d_\-*/]*$/u;
const TENANT_KEY = /^[a-z\d][a-z\d_\-*/]*@[a-z][a-z\d_\-*/]*$/u;
/** Printable without `,` and `=`, not ending with a space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]*[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/u;
const OT_MEMBER = /^[a-z][a-z\d]*:[\w.-]*$/u;

/**
 * W3C tracestate with its `ot` member taken apart, as pkg/sampling 0.155 reads it: `ot` comes first when it is written again, `rv` and
 * `th` first in it. https://www.w3.org/TR/trace-context-2/#tracestate-header
 */
export class TraceState extends SamplingState {
  /** False where something is against the grammar; what was read before is there nevertheless. */
  valid = true;
  readonly #members: string[] = [];
  #otMembers: string[] = [];

  constructor(text: string) {
    super();
    if (text === '') return;
    if (text.length > MAX_LENGTH) this.valid = false;
    else this.#read(text.split(','));
  }

  /** As it is written into the span. */
  format(): string {
    const ot: string[] = [];
    if (this.rvalue !== '') ot.push(`rv:${this.rvalue}`);
    if (this.tvalue !== '') ot.push(`th:${this.tvalue}`);
    const own = [...ot, ...this.#otMembers].join(';');
    return [...(own === '' ? [] : [`ot=${own}`]), ...this.#members].join(',');
  }

  #read(written: readonly string[]): void {
    const members = written.map((member) => member.replaceAll(/^[ \t]+|[ \t]+$/gu, ''));
    if (!members.every((member) => member === '' || isMember(member))) {
      this.valid = false;
      return;
    }
    // A comma at the end opens no further member for upstream's scanner.
    if (members.at(-1) === '' && written.at(-1) === '') members.pop();
    for (const [index, member] of members.entries()) {
      if (index + 1 >= MAX_MEMBERS) {
        this.valid = false;
        return;
      }
      if (member !== '') this.#member(member);
    }
  }

  #member(member: string): void {
    const equals = member.indexOf('=');
    const key = member.slice(0, equals);
    const [tenant = '', system = ''] = key.includes('@') ? key.split('@') : [];
    if (key.length > MAX_KEY || tenant.length > MAX_TENANT || system.length > MAX_SYSTEM) this.valid = false;
    else if (key === 'ot') this.#openTelemetry(member.slice(equals + 1));
    else this.#members.push(member);
  }

  /** A second `ot` replaces the first, with all that it said. */
  #openTelemetry(value: string): void {
    this.rvalue = '';
    this.clearThreshold();
    this.#otMembers = [];
    const members = value.split(';');
    if (value.length > MAX_OT_VALUE || !members.every((member) => OT_MEMBER.test(member))) {
      this.valid = false;
      return;
    }
    for (const member of members) {
      const text = member.slice(member.indexOf(':') + 1);
      if (member.startsWith('rv:')) this.#randomness(text);
      else if (member.startsWith('th:')) this.#threshold(text);
      else this.#otMembers.push(member);
    }
  }

  #randomness(text: string): void {
    const read = parseRandomness(text);
    if (read === undefined) this.valid = false;
    this.rvalue = read === undefined ? '' : text;
    this.randomness = read ?? ALWAYS;
  }

  #threshold(text: string): void {
    const read = parseThreshold(text);
    if (read === undefined) this.valid = false;
    this.tvalue = read === undefined ? '' : text;
    this.threshold = read ?? ALWAYS;
  }
}

function isMember(member: string): boolean {
  const equals = member.indexOf('=');
  if (equals < 1) return false;
  const key = member.slice(0, equals);
  const value = member.slice(equals + 1);
  return (SIMPLE_KEY.test(key) || TENANT_KEY.test(key)) && value.length <= MAX_VALUE && VALUE.test(value);
}

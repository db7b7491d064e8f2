import { Key } from '../otlp/attribute-list.ts';
import { copyBytes, DROP, EDIT, type ItemEditor, KEEP } from '../otlp/edit-items.ts';
import { ItemFields } from '../otlp/item-fields.ts';
import { position, readLength, readTag, skipField, WIRE_LEN, writeVarint } from '../otlp/wire.ts';
import type { Candidate, ProbabilityDecision } from './probabilistic-sampler-decision.ts';
import { ALWAYS, type Bits56, NEVER, writeRandomness } from './probabilistic-sampler-threshold.ts';
import { TraceState } from './probabilistic-sampler-tracestate.ts';
import { numberOf, type RawValue, textOf, valueOfKey } from './probabilistic-sampler-value.ts';

/** Span: trace_id = 1, trace_state = 3, attributes = 9. The rest is skipped by length. */
const TRACE_ID = 1;
const TRACE_STATE = 3;
const ATTRIBUTES = 9;
const TRACE_ID_TAG = (TRACE_ID << 3) | WIRE_LEN;
const TRACE_STATE_TAG = (TRACE_STATE << 3) | WIRE_LEN;
const ATTRIBUTE_TAG = (ATTRIBUTES << 3) | WIRE_LEN;

/** OpenTracing's hint, which upstream takes for an order. */
const PRIORITY_KEY = new Key('sampling.priority');

/** `rv:` and 14 digits, `;th:` and 14, `ot=`, a comma, tag and length. */
const GROWTH = 64;

/** Decides by Span and writes what was decided into its tracestate. */
export class SpanSampler implements ItemEditor {
  readonly growth = GROWTH;
  readonly #decision: ProbabilityDecision;
  /** Tag, length and text of the tracestate of a span that had none, before and behind its randomness. */
  readonly #plainHead: Uint8Array;
  readonly #plainTail: Uint8Array;
  readonly #fields = new ItemFields({
    attributes: ATTRIBUTES,
    keys: [PRIORITY_KEY],
    fields: new Map([
      [TRACE_ID, WIRE_LEN],
      [TRACE_STATE, WIRE_LEN],
    ]),
  });
  #isPlain = false;
  #text = '';
  #fieldFrom = 0;
  #fieldEnd = 0;

  constructor(decision: ProbabilityDecision) {
    this.#decision = decision;
    const head = decision.plainRandomness ? 'ot=rv:' : 'ot=';
    const tail = decision.plainRandomness ? `;th:${decision.plainThreshold}` : `th:${decision.plainThreshold}`;
    const length = head.length + tail.length + (decision.plainRandomness ? 14 : 0);
    this.#plainHead = Uint8Array.from([TRACE_STATE_TAG, length, ...Buffer.from(head)]);
    this.#plainTail = Uint8Array.from(Buffer.from(tail));
  }

  decide(buf: Uint8Array, from: number, end: number): number {
    const fields = this.#fields;
    const idEnd = fields.load(buf, from, end) ? (fields.end[TRACE_ID] as number) : -1;
    this.#isPlain =
      idEnd >= 0 && fields.end[TRACE_STATE] === -1 && fields.valueEnd[0] === -1 && hasTraceId(buf, fields.from[TRACE_ID] as number, idEnd);
    if (!this.#isPlain) return this.#decideAny(buf, from, end);
    this.#fieldFrom = end;
    this.#fieldEnd = end;
    return this.#decision.keepsPlain(buf, idEnd - 16, idEnd) ? EDIT : DROP;
  }

  /** The same for a span that was sampled before, has a priority, or is not as SDKs write them. */
  #decideAny(buf: Uint8Array, from: number, end: number): number {
    let idFrom = 0;
    let idEnd = 0;
    let priority: RawValue | undefined;
    let text = '';
    // Where there is no tracestate yet it goes to the end.
    this.#fieldFrom = end;
    this.#fieldEnd = end;
    let pos = from;
    while (pos < end) {
      const start = pos;
      const tag = readTag(buf, pos, end);
      const valueAt = position();
      if (tag === TRACE_ID_TAG) {
        pos = readLength(buf, valueAt, end);
        idFrom = position();
        idEnd = hasTraceId(buf, idFrom, pos) ? pos : idFrom;
      } else if (tag === TRACE_STATE_TAG) {
        pos = readLength(buf, valueAt, end);
        text = latin1(buf, position(), pos);
        this.#fieldFrom = start;
        this.#fieldEnd = pos;
      } else if (tag === ATTRIBUTE_TAG) {
        pos = readLength(buf, valueAt, end);
        priority ??= valueOfKey(buf, position(), pos, PRIORITY_KEY.bytes);
      } else {
        pos = skipField(buf, tag, valueAt, end);
      }
    }
    const source = idEnd > idFrom ? buf.subarray(idFrom, idEnd) : undefined;
    const state = new TraceState(text);
    const candidate: Candidate = {
      source,
      attribute: undefined,
      state,
      broken: !state.valid,
      priority: priority && priorityOf(priority),
    };
    const decision = this.#decision.decide(candidate);
    if (decision === 'drop') return DROP;
    if (decision === 'keep') return KEEP;
    this.#text = state.format();
    return this.#text === text ? KEEP : EDIT;
  }

  write(buf: Uint8Array, from: number, end: number, out: Buffer, at: number): number {
    let pos = at;
    copyBytes(buf, from, this.#fieldFrom, out, pos);
    pos += this.#fieldFrom - from;
    if (this.#isPlain) {
      copyBytes(this.#plainHead, 0, this.#plainHead.length, out, pos);
      pos += this.#plainHead.length;
      if (this.#decision.plainRandomness) pos = writeRandomness(this.#decision, out, pos);
      copyBytes(this.#plainTail, 0, this.#plainTail.length, out, pos);
      pos += this.#plainTail.length;
    } else if (this.#text !== '') {
      out[pos] = TRACE_STATE_TAG;
      pos = writeVarint(out, pos + 1, this.#text.length);
      pos += out.write(this.#text, pos, 'latin1');
    }
    copyBytes(buf, this.#fieldEnd, end, out, pos);
    return pos + end - this.#fieldEnd;
  }
}

/** An id is 16 bytes or absent, as pdata decodes it; all zeros are absent, too. */
export function hasTraceId(buf: Uint8Array, from: number, end: number): boolean {
  if (end === from) return false;
  if (end - from !== 16) throw new Error(`a trace id has ${end - from} bytes, not 16`);
  for (let pos = from; pos < end; pos += 1) if (buf[pos] !== 0) return true;
  return false;
}

function latin1(buf: Uint8Array, from: number, end: number): string {
  return Buffer.from(buf.buffer, buf.byteOffset + from, end - from).toString('latin1');
}

/** 0 drops, more keeps, less decides nothing; as a number or as its text. */
function priorityOf(value: RawValue): Bits56 | undefined {
  const number = value.kind === 'string' ? goFloat(textOf(value)) : numberOf(value);
  if (number === 0) return NEVER;
  return number !== undefined && number > 0 ? ALWAYS : undefined;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d+)$/iu;
const INFINITE = /^\+?inf(?:inity)?$/iu;

/** strconv.ParseFloat of Go, without its underscores; undefined where it gives an error. */
export function goFloat(text: string): number | undefined {
  if (INFINITE.test(text)) return Number.POSITIVE_INFINITY;
  if (DECIMAL.test(text)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : undefined;
  }
  const [, sign, whole = '', part = '', exponent = '0'] = HEXADECIMAL.exec(text) ?? [];
  if (sign === undefined || whole + part === '') return undefined;
  const number = Number.parseInt(whole + part, 16) * 2 ** (Number(exponent) - 4 * part.length);
  return Number.isFinite(number) ? (sign === '-' ? -number : number) : undefined;
}

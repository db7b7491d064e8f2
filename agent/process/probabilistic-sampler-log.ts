import { DROP, EDIT, type ItemEditor, KEEP } from '../otlp/edit-items.ts';
import { lenField, position, readLength, readTag, skipField, WIRE_LEN } from '../otlp/wire.ts';
import type { ProbabilisticSamplerSettings } from './probabilistic-sampler-config.ts';
import type { ProbabilityDecision } from './probabilistic-sampler-decision.ts';
import { hasTraceId } from './probabilistic-sampler-span.ts';
import { type Bits56, parseRandomness, parseThreshold, thresholdOf } from './probabilistic-sampler-threshold.ts';
import { SamplingState } from './probabilistic-sampler-tracestate.ts';
import { hashableBytes, numberOf, type RawValue, textOf, valueOfKey } from './probabilistic-sampler-value.ts';

/** LogRecord: attributes = 6, trace_id = 9. The rest is skipped by length. */
const TRACE_ID_TAG = (9 << 3) | WIRE_LEN;
const ATTRIBUTE_FIELD = 6;
const ATTRIBUTE_TAG = (ATTRIBUTE_FIELD << 3) | WIRE_LEN;

const THRESHOLD_KEY = Buffer.from('sampling.threshold');
const RANDOMNESS_KEY = Buffer.from('sampling.randomness');

/** Two attributes of 19 and 14 bytes with their tags and lengths. */
const GROWTH = 96;

/** An attribute of the record, tag included, as it is and as it is to be. */
interface Mark {
  readonly key: Buffer;
  from: number;
  end: number;
  value: RawValue | undefined;
  /** What it says now; '' leaves it as it is. */
  text: string;
}

/** Decides by LogRecord and writes what was decided into sampling.threshold and sampling.randomness. */
export class LogSampler implements ItemEditor {
  readonly growth = GROWTH;
  readonly #decision: ProbabilityDecision;
  readonly #settings: ProbabilisticSamplerSettings;
  readonly #fromAttribute: Buffer;
  readonly #priorityAttribute: Buffer;
  readonly #threshold: Mark = { key: THRESHOLD_KEY, from: 0, end: 0, value: undefined, text: '' };
  readonly #randomness: Mark = { key: RANDOMNESS_KEY, from: 0, end: 0, value: undefined, text: '' };

  constructor(settings: ProbabilisticSamplerSettings, decision: ProbabilityDecision) {
    this.#settings = settings;
    this.#decision = decision;
    this.#fromAttribute = Buffer.from(settings.fromAttribute);
    this.#priorityAttribute = Buffer.from(settings.priorityAttribute);
  }

  decide(buf: Uint8Array, from: number, end: number): number {
    const { byTraceId, mode } = this.#settings;
    let traceId: Uint8Array | undefined;
    let stand: RawValue | undefined;
    let priority: RawValue | undefined;
    const wantsStand = this.#fromAttribute.length > 0 && mode === 'hash_seed';
    const wantsPriority = this.#priorityAttribute.length > 0;
    this.#threshold.value = undefined;
    this.#randomness.value = undefined;
    let pos = from;
    while (pos < end) {
      const start = pos;
      const tag = readTag(buf, pos, end);
      const valueAt = position();
      if (tag === TRACE_ID_TAG) {
        pos = readLength(buf, valueAt, end);
        const at = position();
        traceId = hasTraceId(buf, at, pos) ? buf.subarray(at, pos) : undefined;
      } else if (tag === ATTRIBUTE_TAG) {
        pos = readLength(buf, valueAt, end);
        const at = position();
        note(this.#threshold, buf, start, at, pos);
        note(this.#randomness, buf, start, at, pos);
        if (wantsStand) stand ??= valueOfKey(buf, at, pos, this.#fromAttribute);
        if (wantsPriority) priority ??= valueOfKey(buf, at, pos, this.#priorityAttribute);
      } else {
        pos = skipField(buf, tag, valueAt, end);
      }
    }
    const state = new SamplingState();
    const broken = !this.#readState(state);
    // The consistent modes know the trace id only, whatever attribute_source says.
    let source = byTraceId || mode !== 'hash_seed' ? traceId : undefined;
    let attribute: string | undefined;
    if (source === undefined && stand !== undefined) {
      source = nonEmpty(hashableBytes(stand));
      attribute = this.#settings.fromAttribute;
    }
    const { rvalue, tvalue } = state;
    const decision = this.#decision.decide({ source, attribute, state, broken, priority: priority && this.#priority(priority) });
    if (decision === 'drop') return DROP;
    this.#threshold.text = state.tvalue === tvalue ? '' : state.tvalue;
    this.#randomness.text = state.rvalue === rvalue ? '' : state.rvalue;
    return decision === 'keep' || this.#threshold.text + this.#randomness.text === '' ? KEEP : EDIT;
  }

  write(buf: Uint8Array, from: number, end: number, out: Uint8Array, at: number): number {
    const place = (mark: Mark): number => (mark.value === undefined ? end : mark.from);
    const marks = [this.#threshold, this.#randomness].filter(({ text }) => text !== '').sort((a, b) => place(a) - place(b));
    let pos = at;
    let copied = from;
    for (const mark of marks) {
      out.set(buf.subarray(copied, place(mark)), pos);
      pos += place(mark) - copied;
      copied = mark.value === undefined ? end : mark.end;
      const field = attributeField(mark.key, mark.text);
      out.set(field, pos);
      pos += field.length;
    }
    out.set(buf.subarray(copied, end), pos);
    return pos + end - copied;
  }

  /** False where an attribute says what is no threshold or no randomness. Other kinds than text are as if absent. */
  #readState(state: SamplingState): boolean {
    const tvalue = textIfAny(this.#threshold.value);
    const threshold = tvalue === '' ? undefined : parseThreshold(tvalue);
    if (threshold !== undefined) {
      state.tvalue = tvalue;
      state.threshold = threshold;
    }
    const rvalue = textIfAny(this.#randomness.value);
    const randomness = rvalue === '' ? undefined : parseRandomness(rvalue);
    if (randomness !== undefined) {
      state.rvalue = rvalue;
      state.randomness = randomness;
    }
    return (tvalue === '' || threshold !== undefined) && (rvalue === '' || randomness !== undefined);
  }

  /** A percentage; other than with spans, one that is 0 or out of range decides nothing. */
  #priority(value: RawValue): Bits56 | undefined {
    const percent = numberOf(value);
    return percent === undefined || percent === 0 ? undefined : thresholdOf(percent / 100, this.#settings.precision);
  }
}

/** The first attribute of that key counts. */
function note(mark: Mark, buf: Uint8Array, start: number, from: number, end: number): void {
  if (mark.value !== undefined) return;
  mark.value = valueOfKey(buf, from, end, mark.key);
  mark.from = start;
  mark.end = end;
}

function textIfAny(value: RawValue | undefined): string {
  return value?.kind === 'string' ? textOf(value) : '';
}

function nonEmpty(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length === 0 ? undefined : bytes;
}

function attributeField(key: Buffer, text: string): Uint8Array {
  return lenField(ATTRIBUTE_FIELD, Buffer.concat([lenField(1, key), lenField(2, lenField(1, Buffer.from(text)))]));
}

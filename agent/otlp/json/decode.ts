import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Signal } from '../../config/settings.ts';
import { Decoder } from './decoder.ts';
import { type Charge, NoRoomError, Output } from './output.ts';
import { type FieldType, type MessageType, requestType } from './schema.ts';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, JsonSyntaxError, OPEN_ARRAY, OPEN_OBJECT, skipSpace, skipValue } from './tokens.ts';

/**
 * OTLP/JSON into protobuf in one pass over the bytes: tokens are written as they are read, no value is made of them. So the memory is
 * the output's, at most MAX_GROWTH of the input, and it is charged before it is taken.
 *
 * In:       the bytes of an ExportXServiceRequest in JSON. Out: the same in protobuf.
 * May drop: unknown keys (spec: they are ignored). What is no OTLP/JSON is refused as a whole.
 * Bench:    test/bench/agent/json.
 *
 * Clauses (OTLP 1.11, "JSON Protobuf Encoding"): ids are hex in any case, other bytes base64, enums integers, 64-bit integers numbers or
 * texts, keys lowerCamelCase, null is unset. Where the spec leaves a choice it is the Collector's: names of enum values are read too, a
 * key that stands twice is merged as on the wire (the last scalar wins, lists are joined), half a surrogate pair becomes U+FFFD.
 */
export type JsonResult =
  | { readonly ok: true; readonly body: Buffer }
  | { readonly ok: false; readonly reason: string; readonly memory: boolean };

/**
 * `[0,0,0]` of fixed64: two characters become eight bytes; nothing grows more. Charged as it happens, so this is only for who wants to
 * know the bound.
 */
export const MAX_GROWTH = 4;

/** Telemetry in protobuf is a third to a half of its JSON. */
const EXPECTED_RATIO = 0.5;

/** Above, a body is converted in slices between which the loop turns: 64 MiB in one go would hold up everybody else for a second. */
const SLICED_FROM_BYTES = 1024 * 1024;
const SLICE_BYTES = 256 * 1024;
/** The request, its resources and their scopes are opened between slices; an item is converted in one go. */
const SLICED_LEVELS = 3;

/** The protobuf of a JSON request, or why it is none. `charge` is told how much the conversion holds beside `json`. */
export function decodeJson(signal: Signal, json: Buffer, charge: Charge): JsonResult {
  if (!isUtf8(json)) return NOT_UTF8;
  try {
    const { decoder, output } = start(json, charge);
    decoder.pos = skipSpace(json, 0);
    decoder.object(requestType(signal));
    return finish(decoder, output);
  } catch (error) {
    return failure(error);
  }
}

/** The same; a large body at once, but not in one go. */
export function decodeJsonInSlices(signal: Signal, json: Buffer, charge: Charge): JsonResult | Promise<JsonResult> {
  return json.length < SLICED_FROM_BYTES ? decodeJson(signal, json, charge) : decodeSliced(signal, json, charge);
}

async function decodeSliced(signal: Signal, json: Buffer, charge: Charge): Promise<JsonResult> {
  if (!isUtf8(json)) return NOT_UTF8;
  try {
    const { decoder, output } = start(json, charge);
    decoder.pos = skipSpace(json, 0);
    await new Slices(decoder).object(requestType(signal), 1);
    return finish(decoder, output);
  } catch (error) {
    return failure(error);
  }
}

const NOT_UTF8: JsonResult = { ok: false, reason: 'the JSON is not UTF-8', memory: false };

function start(json: Buffer, charge: Charge): { decoder: Decoder; output: Output } {
  const output = new Output(Math.ceil(json.length * EXPECTED_RATIO), charge);
  return { decoder: new Decoder(json, output), output };
}

function finish(decoder: Decoder, output: Output): JsonResult {
  const end = skipSpace(decoder.buf, decoder.pos);
  if (end < decoder.buf.length) throw new JsonSyntaxError('more after the end of the request', end);
  return { ok: true, body: output.finish() };
}

function failure(error: unknown): JsonResult {
  if (error instanceof JsonSyntaxError) return { ok: false, reason: error.message, memory: false };
  if (error instanceof NoRoomError) return { ok: false, reason: error.message, memory: true };
  throw error;
}

/** Walks the outer levels of a request as decoder.ts does, and lets the loop turn now and then. */
class Slices {
  readonly #decoder: Decoder;
  #turnedAt = 0;

  constructor(decoder: Decoder) {
    this.#decoder = decoder;
  }

  async object(type: MessageType, level: number): Promise<void> {
    const decoder = this.#decoder;
    const { buf } = decoder;
    if (buf[decoder.pos] !== OPEN_OBJECT) throw new JsonSyntaxError(`${type.name} is no object`, decoder.pos);
    decoder.pos = skipSpace(buf, decoder.pos + 1);
    if (buf[decoder.pos] === CLOSE_OBJECT) {
      decoder.pos += 1;
      return;
    }
    decoder.depth += 1;
    for (;;) {
      const field = decoder.key(type);
      if (field === undefined) decoder.pos = skipValue(buf, decoder.pos);
      else if (field.repeated && field.kind === 'message' && buf[decoder.pos] === OPEN_ARRAY) await this.#list(field, level);
      else decoder.field(field);
      if (this.#isDue()) await this.#turn();
      if (!more(decoder, CLOSE_OBJECT)) break;
    }
    decoder.depth -= 1;
  }

  async #list(field: FieldType, level: number): Promise<void> {
    const decoder = this.#decoder;
    const type = field.message as MessageType;
    decoder.pos = skipSpace(decoder.buf, decoder.pos + 1);
    if (decoder.buf[decoder.pos] === CLOSE_ARRAY) {
      decoder.pos += 1;
      return;
    }
    for (;;) {
      if (level < SLICED_LEVELS && decoder.buf[decoder.pos] === OPEN_OBJECT) {
        decoder.tag(field.tag);
        const reserved = type.lengthBytes;
        const start = decoder.open(reserved);
        await this.object(type, level + 1);
        type.lengthBytes = decoder.close(start, reserved);
      } else decoder.element(field, true);
      if (this.#isDue()) await this.#turn();
      if (!more(decoder, CLOSE_ARRAY)) return;
    }
  }

  #isDue(): boolean {
    return this.#decoder.pos - this.#turnedAt > SLICE_BYTES;
  }

  async #turn(): Promise<void> {
    this.#turnedAt = this.#decoder.pos;
    await nextTurn();
  }
}

/** Past the comma to the next, or past the bracket that ends the row. */
function more(decoder: Decoder, closer: number): boolean {
  const { buf } = decoder;
  const pos = skipSpace(buf, decoder.pos);
  if (buf[pos] === COMMA) {
    decoder.pos = skipSpace(buf, pos + 1);
    return true;
  }
  if (buf[pos] !== closer) throw new JsonSyntaxError(`neither a comma nor '${String.fromCharCode(closer)}'`, pos);
  decoder.pos = pos + 1;
  return false;
}

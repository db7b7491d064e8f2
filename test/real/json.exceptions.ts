/** Where ours answers otherwise than Collector 0.155, by the name of the body in test/agent/otlp/json/odd.ts. */
export interface JsonException {
  readonly collector: number;
  readonly ours: number;
  readonly reason: string;
}

const GARBAGE =
  'The Collector stops reading after the first value. What follows was never meant to be there: the sender has to hear of it.';
const NULL_IS_UNSET =
  'ProtoJSON: null is an unset field, of whatever type. The Collector reads it for some types, and as an empty value for others.';
const WHOLE = 'ProtoJSON: a whole number may be written with a fraction of zeros or an exponent.';
const CAMEL = 'OTLP 1.11: keys are lowerCamelCase, "original field names are not valid"; and unknown keys are ignored.';
const UTF8 = 'JSON is UTF-8 (RFC 8259, 8.1), and so are the texts of protobuf: what the Collector sends on, other receivers refuse.';
const BASE64 = 'ProtoJSON: "either standard or URL-safe base64 encoding with/without paddings are accepted".';
const ESCAPES = 'A JSON text means the same with and without escapes. The Collector reads bytes without resolving them.';
const BROKEN_ERROR = 'Both refuse it. The Collector cannot print its own message, as that quotes bytes that are not UTF-8.';

export const EXCEPTIONS: Readonly<Record<string, JsonException>> = {
  null: { collector: 200, ours: 400, reason: 'A request is an object; the Collector takes null for an empty one.' },
  'trailing garbage': { collector: 200, ours: 400, reason: GARBAGE },
  'two requests': { collector: 200, ours: 400, reason: GARBAGE },
  'a byte order mark': { collector: 500, ours: 400, reason: BROKEN_ERROR },
  'times below zero': { collector: 500, ours: 400, reason: BROKEN_ERROR },
  'a count below zero': { collector: 500, ours: 400, reason: BROKEN_ERROR },
  'null ids': { collector: 400, ours: 200, reason: NULL_IS_UNSET },
  'kind null': { collector: 400, ours: 200, reason: NULL_IS_UNSET },
  'times null': { collector: 400, ours: 200, reason: NULL_IS_UNSET },
  'stringValue null': { collector: 200, ours: 200, reason: NULL_IS_UNSET },
  'arrayValue null': { collector: 200, ours: 200, reason: NULL_IS_UNSET },
  'two kinds, the last null': { collector: 400, ours: 200, reason: NULL_IS_UNSET },
  'a scalar twice, then null': { collector: 200, ours: 200, reason: NULL_IS_UNSET },
  'times with an exponent': { collector: 400, ours: 200, reason: WHOLE },
  'times with a whole fraction': { collector: 400, ours: 200, reason: WHOLE },
  'intValue with an exponent': { collector: 400, ours: 200, reason: WHOLE },
  'snake_case keys': { collector: 200, ours: 200, reason: CAMEL },
  'a snake_case field': { collector: 200, ours: 200, reason: CAMEL },
  'an empty key': {
    collector: 400,
    ours: 200,
    reason: 'It is an unknown key as any other; the Collector takes it for the end of the object.',
  },
  'invalid UTF-8': { collector: 200, ours: 400, reason: UTF8 },
  'an overlong form of UTF-8': { collector: 200, ours: 400, reason: UTF8 },
  'half a character of UTF-8': { collector: 200, ours: 400, reason: UTF8 },
  'doubleValue in hex': {
    collector: 200,
    ours: 400,
    reason: 'ProtoJSON: a number, or one of NaN, Infinity, -Infinity. Hexadecimal doubles are Go alone.',
  },
  'bytesValue without padding': { collector: 400, ours: 200, reason: BASE64 },
  'bytesValue URL-safe': { collector: 400, ours: 200, reason: BASE64 },
  'bytesValue with an escaped slash': { collector: 400, ours: 200, reason: `${ESCAPES} PHP's json_encode escapes every slash.` },
  'bytesValue with line breaks': { collector: 400, ours: 200, reason: ESCAPES },
  'one kind twice': {
    collector: 200,
    ours: 200,
    reason: 'Twice the same message is merged, as protobuf merges it on the wire; the Collector does so everywhere but in a oneof.',
  },
  'a value 10 000 deep': {
    collector: 200,
    ours: 400,
    reason: 'Ours takes 500 messages in each other; the Collector any number, which no protobuf reader with a limit takes from it.',
  },
};

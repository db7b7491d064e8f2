import type { Signal } from '../../config/settings.ts';
import { decodeJson, type JsonResult } from './decode.ts';
import { encodeJson, type ProtoResult } from './encode.ts';

export { decodeJson, encodeJson, type JsonResult, type ProtoResult };

/** The bytes are not what they should be; the message says what and at which byte. */
export class ConversionError extends Error {}

/** The protobuf of an OTLP/JSON request; throws a ConversionError where it is none. For those who count no memory: tests, tools, files. */
export function jsonToProto(signal: Signal, json: Uint8Array): Uint8Array {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const result = decodeJson(signal, bytes, () => true);
  if (result.ok) return result.body;
  throw new ConversionError(result.reason);
}

/** The OTLP/JSON of a request in protobuf; throws a ConversionError where its bytes are none. */
export function protoToJson(signal: Signal, slices: readonly Uint8Array[]): Uint8Array {
  const result = encodeJson(signal, slices);
  if (result.ok) return result.json;
  throw new ConversionError(result.reason);
}

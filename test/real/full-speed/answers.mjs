/** What the next hop answers over gRPC: success, and UNAVAILABLE with a RetryInfo. */
import { ANSWER, FLAG, FRAME, frame, PREFIX_BYTES } from '../../bench/traffic/frames.mjs';

/** How long a hop that refuses asks to wait. */
export const RETRY_AFTER_S = 1;

export const ANSWER_OK = (stream) =>
  Buffer.concat([
    frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, ANSWER.headers),
    frame(FRAME.DATA, 0, stream, Buffer.alloc(PREFIX_BYTES)),
    frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, stream, ANSWER.trailers),
  ]);

const field = (number, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([number * 8 + 2, body.length]), body]);
};
const text = (number, value) => field(number, Buffer.from(value));

/** google.rpc.Status { code = 1, message = 2, details = 3: Any { type_url = 1, value = 2: RetryInfo { retry_delay = 1 { seconds = 1 } } } } */
const STATUS = Buffer.concat([
  Buffer.from([0x08, 14]),
  text(2, 'not now'),
  field(3, text(1, 'type.googleapis.com/google.rpc.RetryInfo'), field(2, field(1, Buffer.from([0x08, RETRY_AFTER_S])))),
]);

/** Literals without a dynamic table. */
const literal = (name, value) =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
const REFUSED = Buffer.concat([
  ANSWER.headers,
  literal('grpc-status', '14'),
  literal('grpc-message', 'not now'),
  literal('grpc-status-details-bin', STATUS.toString('base64')),
]);

export const ANSWER_REFUSED = (stream) => frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, stream, REFUSED);
export const ANSWER_UNIMPLEMENTED = (stream) => frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, stream, UNIMPLEMENTED);
const UNIMPLEMENTED = Buffer.concat([ANSWER.headers, literal('grpc-status', '12')]);

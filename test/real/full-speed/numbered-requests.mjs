/**
 * OTLP requests that each have their number in them: the first span's trace id is a mark with the number, as the open-loop driver of the
 * benches leaves the send time there. It lies in a small request of its own in front of the others, as OTLP requests merge by
 * concatenation: so only these few bytes are compressed for each request.
 */
import { serviceRequest } from '../../bench/agent/load.mjs';
import { PREFIX_BYTES } from '../../bench/traffic/frames.mjs';
import { compressed, markOffset } from '../../bench/traffic/messages.mjs';
import { MARK } from '../../bench/traffic/scan.mjs';

/** @returns a function from a number to the body of its request, which is new each time */
export function numberedRequests({ spans, spanBytes, encoding }) {
  const head = serviceRequest(1, spanBytes, 1);
  const mark = markOffset(head) - PREFIX_BYTES;
  const rest = spans === 1 ? Buffer.alloc(0) : compressed(serviceRequest(spans - 1, spanBytes, 2), encoding);
  head.writeUInt32BE(MARK, mark);
  return (number) => {
    head.writeDoubleBE(number, mark + 4);
    return Buffer.concat([compressed(head, encoding), rest]);
  };
}

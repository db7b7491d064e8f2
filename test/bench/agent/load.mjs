/**
 * Requests of exactly so many spans of exactly so many bytes, written by hand so that the bench needs no codec.
 * A span: trace id, span id, name, times, kind and one attribute that fills it up to the size.
 */
export function traceRequest(spans, spanBytes) {
  const one = len(2, span(spanBytes));
  const scope = len(2, Buffer.concat([len(1, str(1, 'bench')), ...Array.from({ length: spans }, () => one)]));
  const resource = len(1, len(1, Buffer.concat([str(1, 'service.name'), len(2, str(1, 'bench'))])));
  return len(1, Buffer.concat([resource, scope]));
}

/** `bytes` counts the span with its tag and length, as it lies in the request. */
function span(bytes) {
  const fixed = Buffer.concat([
    len(1, Buffer.alloc(16, 7)),
    len(2, Buffer.alloc(8, 9)),
    str(5, 'GET /cart'),
    Buffer.from([0x30, 2]),
    fixed64(7, 1_700_000_000_000_000_000n),
    fixed64(8, 1_700_000_000_000_500_000n),
  ]);
  for (let fill = bytes; fill > 0; fill -= 1) {
    const attribute = len(9, Buffer.concat([str(1, 'http.route'), len(2, str(1, 'x'.repeat(fill)))]));
    const body = Buffer.concat([fixed, attribute]);
    if (len(2, body).length === bytes) return body;
  }
  throw new Error(`a span cannot have ${bytes} bytes`);
}

function varint(value) {
  const out = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
  return Buffer.from(out);
}
const len = (field, body) => Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
const str = (field, text) => len(field, Buffer.from(text));
function fixed64(field, value) {
  const out = Buffer.alloc(9);
  out[0] = field * 8 + 1;
  out.writeBigUInt64LE(value, 1);
  return out;
}

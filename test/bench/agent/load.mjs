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

/**
 * The same size, as a web service sends it: every span its own random trace id and seven attributes of text and number, so that what
 * looks at ids and attributes has something to look at. The same for the same number of spans.
 */
export function serviceRequest(spans, spanBytes) {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
  const id = (length) => Buffer.from(Array.from({ length }, () => random() & 0xff));
  const all = Array.from({ length: spans }, () => serviceSpan(id(16), id(8), random(), spanBytes));
  const scope = len(2, Buffer.concat([len(1, str(1, 'bench')), ...all.map((one) => len(2, one))]));
  const attributes = [text('service.name', 'cart'), text('k8s.pod.name', 'cart-7d9f8-x2x')].map((one) => len(1, one));
  return len(1, Buffer.concat([len(1, Buffer.concat(attributes)), scope]));
}

function serviceSpan(traceId, spanId, number, bytes) {
  const attributes = [
    text('http.request.method', number % 3 === 0 ? 'POST' : 'GET'),
    text('http.route', '/cart/{id}'),
    text('url.path', `/cart/${number}`),
    int('http.response.status_code', number % 50 === 0 ? 500 : 200),
    text('user.id', `u-${number % 1000}`),
    text('server.address', 'cart.shop.svc'),
  ];
  const fixed = Buffer.concat([
    len(1, traceId),
    len(2, spanId),
    str(5, `GET /cart/${number}`),
    Buffer.from([0x30, 2]),
    fixed64(7, 1_700_000_000_000_000_000n),
    fixed64(8, 1_700_000_000_000_500_000n),
    ...attributes.map((one) => len(9, one)),
  ]);
  const fill = bytes - fixed.length - len(9, text('note', '')).length - 6;
  return Buffer.concat([fixed, len(9, text('note', 'x'.repeat(Math.max(0, fill))))]);
}

const text = (key, value) => Buffer.concat([str(1, key), len(2, str(1, value))]);
const int = (key, value) => Buffer.concat([str(1, key), len(2, Buffer.concat([Buffer.from([0x18]), varint(value)]))]);

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

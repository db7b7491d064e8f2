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
 * looks at ids and attributes has something to look at. The same for the same number of spans and the same seed.
 */
export function serviceRequest(spans, spanBytes, seed = 1) {
  const random = numbers(seed);
  return oneResource(Array.from({ length: spans }, () => serviceSpan(random, spanBytes)));
}

/** So many gauges of one data point each, with the attributes of a web service. */
export function metricsRequest(points, pointBytes, seed = 1) {
  const random = numbers(seed);
  return oneResource(
    Array.from({ length: points }, () => {
      const number = random();
      const point = (fill) =>
        Buffer.concat([
          fixed64(3, 1_700_000_000_000_000_000n),
          fixed64(4, BigInt(number)),
          ...serviceAttributes(number).map((one) => len(7, one)),
          len(7, text('note', words(random, fill))),
        ]);
      const metric = (fill) => Buffer.concat([str(1, `http.server.duration.${number % 100}`), str(3, 's'), len(5, len(1, point(fill)))]);
      return filled(metric, pointBytes);
    }),
  );
}

/** So many log records as a web service writes them. */
export function logsRequest(records, recordBytes, seed = 1) {
  const random = numbers(seed);
  return oneResource(
    Array.from({ length: records }, () => {
      const number = random();
      const ids = [len(9, bytes(random, 16)), len(10, bytes(random, 8))];
      const record = (fill) =>
        Buffer.concat([
          fixed64(1, 1_700_000_000_000_000_000n),
          Buffer.from([0x10, 9]),
          str(3, 'INFO'),
          len(5, str(1, `GET /cart/${number} ${words(random, fill)}`)),
          ...serviceAttributes(number).map((one) => len(6, one)),
          ...ids,
        ]);
      return filled(record, recordBytes);
    }),
  );
}

/** resource_* = 1 { resource = 1, scope_* = 2 { scope = 1, the items = 2 } }: the same numbers for traces, metrics and logs. */
function oneResource(items) {
  const scope = len(2, Buffer.concat([len(1, str(1, 'bench')), ...items.map((one) => len(2, one))]));
  const attributes = [text('service.name', 'cart'), text('k8s.pod.name', 'cart-7d9f8-x2x')].map((one) => len(1, one));
  return len(1, Buffer.concat([len(1, Buffer.concat(attributes)), scope]));
}

/** A span too small for all seven attributes has as many as fit. */
function serviceSpan(random, spanBytes) {
  const [traceId, spanId, number] = [bytes(random, 16), bytes(random, 8), random()];
  const attributes = serviceAttributes(number).map((one) => len(9, one));
  const span = (fill) =>
    Buffer.concat([
      len(1, traceId),
      len(2, spanId),
      str(5, `GET /cart/${number}`),
      Buffer.from([0x30, 2]),
      fixed64(7, 1_700_000_000_000_000_000n),
      fixed64(8, 1_700_000_000_000_500_000n),
      ...attributes,
      ...notes(random, fill, count).map((one) => len(9, one)),
    ]);
  let count = 1;
  while (attributes.length > 0 && len(2, span(0)).length > spanBytes) attributes.pop();
  count = Math.max(1, Math.floor((spanBytes - len(2, span(0)).length) / NOTE_BYTES));
  return filled(span, spanBytes);
}

/** A larger span has more attributes, as those of SDKs have, and not one that is long. With key and lengths. */
const NOTE_BYTES = 64;

/** So many attributes, with so many bytes of text in all. */
function notes(random, textBytes, count) {
  const each = Math.floor(textBytes / count);
  return Array.from({ length: count }, (_, i) => text(`note.${i}`, words(random, i === 0 ? textBytes - each * (count - 1) : each)));
}

function serviceAttributes(number) {
  return [
    text('http.request.method', number % 3 === 0 ? 'POST' : 'GET'),
    text('http.route', number % 10 === 0 ? '/health' : '/cart/{id}'),
    text('url.path', `/cart/${number}`),
    int('http.response.status_code', number % 50 === 0 ? 500 : 200),
    text('user.id', `u-${number % 1000}`),
    text('server.address', 'cart.shop.svc'),
  ];
}

/** `make(n)` with the n that gives `size` bytes, tag and length in its list included; as small as it gets where that is more. */
function filled(make, size) {
  let fill = Math.max(0, size - len(2, make(0)).length);
  let made = make(fill);
  // Each length that grows over 127 or 16383 takes a byte more.
  while (fill > 0 && len(2, made).length > size) {
    fill -= 1;
    made = make(fill);
  }
  return made;
}

const WORDS = 'cart order user price stock cache retry shard query batch event token route proxy admin guest index queue store trace'.split(
  ' ',
);

/** Text that compresses about as well as what people write into attributes. */
function words(random, length) {
  let out = '';
  while (out.length < length) out += `${WORDS[random() % WORDS.length]}-${(random() % 4096).toString(16)} `;
  return out.slice(0, length);
}

function numbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

const bytes = (random, length) => Buffer.from(Array.from({ length }, () => random() & 0xff));
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

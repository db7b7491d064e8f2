/** Requests of log records and of data points, as load.mjs has them of spans; written by hand so that the bench needs no codec. */

/** Records of so many bytes (tag and length included), each its own trace id and text, with five attributes. */
export function logsRequest(records, bytes) {
  const random = generator();
  const all = Array.from({ length: records }, () => len(2, record(random, bytes)));
  return wrapped(Buffer.concat([len(1, str(1, 'bench')), ...all]));
}

/** Data points in metrics of `perMetric` points each, half of them gauges and half sums. */
export function metricsRequest(points, perMetric = 8) {
  const random = generator();
  const metrics = Array.from({ length: Math.ceil(points / perMetric) }, (_, i) => {
    const count = Math.min(perMetric, points - i * perMetric);
    const data = Array.from({ length: count }, () => len(1, point(random)));
    const kind = i % 2 === 0 ? len(5, Buffer.concat(data)) : len(7, Buffer.concat([...data, Buffer.from([0x10, 2, 0x18, 1])]));
    return len(2, Buffer.concat([str(1, `http.server.request.duration.${i}`), str(2, 'how long requests took'), str(3, 's'), kind]));
  });
  return wrapped(Buffer.concat([len(1, str(1, 'bench')), ...metrics]));
}

function record(random, bytes) {
  const fixed = Buffer.concat([
    fixed64(1, 1_700_000_000_000_000_000n),
    Buffer.from([0x10, 9]),
    str(3, 'INFO'),
    len(5, str(1, `request of cart ${random()} was answered`)),
    ...[
      text('http.request.method', random() % 3 === 0 ? 'POST' : 'GET'),
      text('url.path', `/cart/${random()}`),
      text('user.id', `u-${random() % 1000}`),
      text('server.address', 'cart.shop.svc'),
    ].map((one) => len(6, one)),
    len(9, bytesOf(random, 16)),
    len(10, bytesOf(random, 8)),
    fixed64(11, 1_700_000_000_000_500_000n),
  ]);
  const fill = bytes - fixed.length - len(6, text('note', '')).length - 6;
  return Buffer.concat([fixed, len(6, text('note', 'x'.repeat(Math.max(0, fill))))]);
}

function point(random) {
  const attributes = [
    text('http.request.method', random() % 3 === 0 ? 'POST' : 'GET'),
    text('http.route', `/cart/${random() % 50}`),
    text('server.address', 'cart.shop.svc'),
  ];
  const value = Buffer.alloc(9);
  value[0] = 0x21;
  value.writeDoubleLE(random() / 1000, 1);
  return Buffer.concat([
    fixed64(2, 1_700_000_000_000_000_000n),
    fixed64(3, 1_700_000_000_000_500_000n),
    value,
    ...attributes.map((one) => len(7, one)),
  ]);
}

function wrapped(scope) {
  const attributes = [text('service.name', 'cart'), text('k8s.pod.name', 'cart-7d9f8-x2x')].map((one) => len(1, one));
  return len(1, Buffer.concat([len(1, Buffer.concat(attributes)), len(2, scope)]));
}

/** The same numbers in each run. */
function generator() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
}

const bytesOf = (random, length) => Buffer.from(Array.from({ length }, () => random() & 0xff));
const text = (key, value) => Buffer.concat([str(1, key), len(2, str(1, value))]);
const str = (field, value) => len(field, Buffer.from(value));
const len = (field, body) => Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
function fixed64(field, value) {
  const out = Buffer.alloc(9);
  out[0] = field * 8 + 1;
  out.writeBigUInt64LE(value, 1);
  return out;
}
function varint(value) {
  const out = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  out.push(rest);
  return Buffer.from(out);
}

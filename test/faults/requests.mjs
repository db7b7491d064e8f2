/** Small valid requests of the four signals, as protobuf by hand and as JSON, and ways to spoil them. */
const varint = (value) => {
  const out = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  out.push(rest);
  return Buffer.from(out);
};
const len = (field, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};
const text = (field, value) => len(field, Buffer.from(value));
const attribute = (field, key, value) => len(field, text(1, key), len(2, text(1, value)));
const fixed64 = (field, value) => {
  const out = Buffer.alloc(9);
  out[0] = field * 8 + 1;
  out.writeBigUInt64LE(BigInt(value), 1);
  return out;
};
const resource = (name) => len(1, attribute(1, 'service.name', name));
const inScope = (name, ...items) => len(1, resource(name), len(2, len(1, text(1, 'faults')), ...items));

/** Spans whose names are `marker` and a number each. */
export function traces(service, names) {
  const spans = names.map((name) =>
    len(
      2,
      len(1, Buffer.alloc(16, 5)),
      len(2, Buffer.alloc(8, 6)),
      text(5, name),
      fixed64(7, 1_700_000_000_000_000_000n),
      attribute(9, 'http.route', '/cart'),
    ),
  );
  return inScope(service, ...spans);
}

const metrics = (name) => inScope(name, len(2, text(1, 'requests'), len(5, len(1, fixed64(3, 1_700_000_000_000_000_000n), fixed64(4, 1)))));
const logs = (name) =>
  inScope(name, len(2, fixed64(1, 1_700_000_000_000_000_000n), len(5, text(1, 'a line of a log')), attribute(6, 'k', 'v')));
const profiles = (name) => Buffer.concat([inScope(name, len(2, len(2, Buffer.from([8, 1])))), len(2, text(5, ''), text(5, 'main'))]);

const JSON_TRACES = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'json' } }] },
      scopeSpans: [
        { spans: [{ traceId: '5'.repeat(32), spanId: '6'.repeat(16), name: 'json', startTimeUnixNano: '1700000000000000000', kind: 2 }] },
      ],
    },
  ],
});

/** What mutations begin with: the HTTP path, the gRPC path, a valid body. */
export const SEEDS = [
  { http: '/v1/traces', grpc: '/opentelemetry.proto.collector.trace.v1.TraceService/Export', body: traces('storm', ['a', 'b', 'c']) },
  { http: '/v1/metrics', grpc: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export', body: metrics('storm') },
  { http: '/v1/logs', grpc: '/opentelemetry.proto.collector.logs.v1.LogsService/Export', body: logs('storm') },
  {
    http: '/v1development/profiles',
    grpc: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
    body: profiles('storm'),
  },
];
export const JSON_SEED = { http: '/v1/traces', body: Buffer.from(JSON_TRACES) };

/** One to three changes: flipped bits, cut, doubled, moved, wrong lengths, noise. */
export function mutate(random, body) {
  let out = Buffer.from(body);
  for (let i = 1 + random.below(3); i > 0; i -= 1) out = MUTATIONS[random.below(MUTATIONS.length)](random, out);
  return out;
}

const MUTATIONS = [
  (random, body) => {
    if (body.length > 0) body[random.below(body.length)] ^= 1 << random.below(8);
    return body;
  },
  (random, body) => {
    if (body.length > 0) body[random.below(body.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
    return body;
  },
  (random, body) => body.subarray(0, random.below(body.length + 1)),
  (random, body) => body.subarray(random.below(body.length + 1)),
  (random, body) => {
    const from = random.below(body.length + 1);
    return Buffer.concat([body, body.subarray(from, from + random.below(64))]);
  },
  (random, body) => {
    const at = random.below(body.length + 1);
    return Buffer.concat([body.subarray(0, at), Buffer.from([0xff, 0xff, 0xff, 0xff, random.below(128)]), body.subarray(at)]);
  },
  (random, body) => {
    const at = random.below(body.length + 1);
    return Buffer.concat([
      body.subarray(0, at),
      Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256))),
      body.subarray(at),
    ]);
  },
  (random, body) => {
    const [a, b] = [random.below(body.length + 1), random.below(body.length + 1)];
    return Buffer.concat([body.subarray(a), body.subarray(0, a), body.subarray(Math.min(a, b), Math.max(a, b))]);
  },
];

/**
 * Export requests of the load, made once and sent many times: only ids and times change from one sending to the next, at known places,
 * so that the load generator costs next to nothing beside what it measures.
 *
 *   ExportTraceServiceRequest { 1: ResourceSpans { 1: Resource { 1: KeyValue }, 2: ScopeSpans { 1: Scope, 2: Span } } }
 *   Span { 1: trace_id, 2: span_id, 4: parent_span_id, 5: name, 6: kind, 7: start, 8: end (fixed64, ns), 9: attributes, 15: status }
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.11.0/opentelemetry/proto/trace/v1/trace.proto
 */
import { randomBytes } from 'node:crypto';

/** `service.name` of the load. */
export const LOAD_SERVICE = 'otlp-stack-load';

const SPANS_PER_TRACE = 8;
const ROUTES = ['/api/orders/{id}', '/api/orders', '/api/customers/{id}/addresses', '/api/stock/{warehouse}'] as const;
const NANOSECONDS = 1_000_000n;

/** Where the parts that change stand in a request. */
interface SpanPlaces {
  readonly traceId: number;
  readonly spanId: number;
  /** -1 for the first span of a trace. */
  readonly parentId: number;
  readonly start: number;
  readonly end: number;
}

/** One request of a fixed number of spans, to be filled again before each sending. */
export class LoadRequest {
  readonly bytes: Buffer;
  readonly spans: number;
  private readonly places: readonly SpanPlaces[];

  constructor(spans: number) {
    this.spans = spans;
    const encoded = Array.from({ length: spans }, (_, index) => encodeSpan(index));
    const scopeSpans = Buffer.concat([
      bytesField(1, stringField(1, 'otlp-stack rehearse')),
      ...encoded.map((span) => bytesField(2, span.bytes)),
    ]);
    const resource = Buffer.concat([
      attribute(1, 'service.name', LOAD_SERVICE),
      attribute(1, 'service.version', '1.0.0'),
      attribute(1, 'telemetry.sdk.language', 'nodejs'),
    ]);
    this.bytes = bytesField(1, Buffer.concat([bytesField(1, resource), bytesField(2, scopeSpans)]));
    this.places = this.locate(encoded);
  }

  /** New ids and times: those of the spans `first` to `first + spans` of the run. */
  fill(run: Buffer, first: number): void {
    const end = BigInt(Date.now()) * NANOSECONDS;
    for (const [index, place] of this.places.entries()) {
      const sequence = first + index;
      const trace = Math.floor(index / SPANS_PER_TRACE) * SPANS_PER_TRACE + first;
      run.copy(this.bytes, place.traceId, 0, 12);
      this.bytes.writeUInt32BE(trace + 1, place.traceId + 12);
      writeSpanId(this.bytes, place.spanId, run, sequence);
      if (place.parentId >= 0) {
        writeSpanId(this.bytes, place.parentId, run, trace);
      }
      this.bytes.writeBigUInt64LE(end - 25n * NANOSECONDS + BigInt(index % SPANS_PER_TRACE) * NANOSECONDS, place.start);
      this.bytes.writeBigUInt64LE(end, place.end);
    }
  }

  /** The spans are the tail of the request, each after its tag and length. */
  private locate(encoded: readonly EncodedSpan[]): SpanPlaces[] {
    let at = this.bytes.length;
    const places: SpanPlaces[] = [];
    for (const span of [...encoded].reverse()) {
      const start = at - span.bytes.length;
      places.unshift({
        traceId: start + span.traceId,
        spanId: start + span.spanId,
        parentId: span.parentId < 0 ? -1 : start + span.parentId,
        start: start + span.start,
        end: start + span.end,
      });
      at = start - header(2, span.bytes.length).length;
    }
    return places;
  }
}

/** What tells the ids of one run from those of any other. */
export function newRun(): Buffer {
  return randomBytes(12);
}

/** Four random bytes of the run, then the number of the span: never twice, and never all zero, as that is no id. */
function writeSpanId(bytes: Buffer, at: number, run: Buffer, sequence: number): void {
  run.copy(bytes, at, 0, 4);
  bytes.writeUInt32BE(sequence + 1, at + 4);
}

interface EncodedSpan extends SpanPlaces {
  readonly bytes: Buffer;
}

function encodeSpan(index: number): EncodedSpan {
  const route = ROUTES[Math.floor(index / SPANS_PER_TRACE) % ROUTES.length] ?? ROUTES[0];
  const isRoot = index % SPANS_PER_TRACE === 0;
  const parts: Buffer[] = [];
  let length = 0;
  /** Appends a field and returns where its content begins. */
  const add = (field: Buffer, contentLength: number): number => {
    parts.push(field);
    length += field.length;
    return length - contentLength;
  };
  const traceId = add(bytesField(1, Buffer.alloc(16)), 16);
  const spanId = add(bytesField(2, Buffer.alloc(8)), 8);
  const parentId = isRoot ? -1 : add(bytesField(4, Buffer.alloc(8)), 8);
  add(stringField(5, isRoot ? `GET ${route}` : `SELECT ${route.split('/')[2]}`), 0);
  add(Buffer.from([0x30, isRoot ? 2 : 3]), 0);
  const start = add(Buffer.concat([Buffer.from([0x39]), Buffer.alloc(8)]), 8);
  const end = add(Buffer.concat([Buffer.from([0x41]), Buffer.alloc(8)]), 8);
  const attributes: readonly (readonly [string, string])[] = isRoot
    ? [
        ['http.request.method', 'GET'],
        ['http.route', route],
        ['url.path', route.replaceAll(/[{}]/g, '')],
        ['url.scheme', 'http'],
        ['user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'],
        ['server.address', 'shop.example.com'],
        ['client.address', `203.0.113.${index % 256}`],
      ]
    : [
        ['db.system.name', 'postgresql'],
        ['db.namespace', 'shop'],
        ['db.operation.name', 'SELECT'],
        ['db.collection.name', 'orders'],
        ['server.port', '5432'],
        ['db.query.text', 'SELECT id, item, quantity, placed_at FROM orders WHERE customer_id = $1 AND placed_at > $2'],
        ['server.address', `orders-${index % 8}.db.internal`],
      ];
  for (const [key, value] of attributes) {
    add(attribute(9, key, value), 0);
  }
  return { bytes: Buffer.concat(parts), traceId, spanId, parentId, start, end };
}

/** KeyValue { 1: key, 2: AnyValue { 1: string_value } } as field `number`. */
function attribute(number: number, key: string, value: string): Buffer {
  return bytesField(number, Buffer.concat([stringField(1, key), bytesField(2, stringField(1, value))]));
}

function stringField(number: number, text: string): Buffer {
  return bytesField(number, Buffer.from(text, 'utf8'));
}

function bytesField(number: number, content: Buffer): Buffer {
  return Buffer.concat([header(number, content.length), content]);
}

/** Tag of a length-delimited field, and the length. */
function header(number: number, length: number): Buffer {
  const bytes = [(number << 3) | 2];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

/**
 * Counts what an OTLP sink received, by walking the protobuf: spans per `service.name`, and how many of their ids were new. Nothing is
 * taken from a counter of the sender.
 *
 *   ExportTraceServiceRequest { 1: ResourceSpans { 1: Resource { 1: KeyValue }, 2: ScopeSpans { 2: Span { 2: span_id } } } }
 */
const LENGTH_DELIMITED = 2;
const UNKNOWN_SERVICE = 'unknown_service';

/** Spans of one `service.name`. */
export interface ServiceSpans {
  /** All of them. */
  readonly spans: number;
  /** Those whose id came for the first time. */
  readonly distinct: number;
}

/** Counts request after request. */
export class SpanCount {
  private readonly all = new Map<string, { spans: number; ids: Set<string> }>();

  /** @throws RangeError where the bytes are not an ExportTraceServiceRequest */
  add(request: Buffer): void {
    eachField(request, 0, request.length, 1, (from, to) => this.addResourceSpans(request, from, to));
  }

  byService(): { [service: string]: ServiceSpans } {
    return Object.fromEntries([...this.all].map(([service, { spans, ids }]) => [service, { spans, distinct: ids.size }]));
  }

  private addResourceSpans(bytes: Buffer, from: number, to: number): void {
    let service = UNKNOWN_SERVICE;
    eachField(bytes, from, to, 1, (start, end) => {
      eachField(bytes, start, end, 1, (attributeStart, attributeEnd) => {
        if (textOf(bytes, attributeStart, attributeEnd, 1) === 'service.name') {
          eachField(bytes, attributeStart, attributeEnd, 2, (valueStart, valueEnd) => {
            service = textOf(bytes, valueStart, valueEnd, 1) ?? service;
          });
        }
      });
    });
    const count = this.all.get(service) ?? { spans: 0, ids: new Set<string>() };
    this.all.set(service, count);
    eachField(bytes, from, to, 2, (scopeStart, scopeEnd) => {
      eachField(bytes, scopeStart, scopeEnd, 2, (spanStart, spanEnd) => {
        count.spans += 1;
        eachField(bytes, spanStart, spanEnd, 2, (idStart, idEnd) => count.ids.add(bytes.toString('latin1', idStart, idEnd)));
      });
    });
  }
}

function textOf(bytes: Buffer, from: number, to: number, field: number): string | undefined {
  let text: string | undefined;
  eachField(bytes, from, to, field, (start, end) => {
    text = bytes.toString('utf8', start, end);
  });
  return text;
}

/** Calls `found` with the content of every length-delimited field of that number in a message. */
function eachField(bytes: Buffer, from: number, to: number, number: number, found: (from: number, to: number) => void): void {
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = at < to ? bytes[at] : undefined;
      at += 1;
      if (byte === undefined || factor > 2 ** 63) {
        throw new RangeError(`protobuf ends within a number at byte ${at}`);
      }
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return value;
      }
    }
  };
  while (at < to) {
    const tag = varint();
    const wireType = tag % 8;
    if (wireType === LENGTH_DELIMITED) {
      const length = varint();
      const start = at;
      at += length;
      if (at > to) {
        throw new RangeError(`protobuf field ends at byte ${at} of ${to}`);
      }
      if (Math.floor(tag / 8) === number) {
        found(start, at);
      }
    } else if (wireType === 0) {
      varint();
    } else if (wireType === 1 || wireType === 5) {
      at += wireType === 1 ? 8 : 4;
    } else {
      throw new RangeError(`protobuf wire type ${wireType} at byte ${at}`);
    }
  }
}

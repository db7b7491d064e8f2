import { randomBytes } from 'node:crypto';
import type { Signal } from '../config/settings.ts';
import { ATTRIBUTES_OF, attributeTextIn, fieldOf, textOf } from './attributes.ts';
import { CompositeKeyer } from './composite-key.ts';
import { ResourceIdKeyer, StreamIdKeyer } from './identity.ts';
import { ITEM, RESOURCE } from './levels.ts';
import type { RoutingSettings } from './settings.ts';
import type { Keyer, Route } from './split-by-key.ts';

const SERVICE_NAME = 'service.name';
const TRACE_ID_BYTES = 16;
const SPAN_TRACE_ID = 1;
const LOG_TRACE_ID = 9;
const NO_TRACE_ID = Buffer.alloc(TRACE_ID_BYTES);

/**
 * How a request is told apart, with the keys of the Collector's loadbalancing exporter byte for byte, so that both find the same place on
 * the ring. Read in its source at v0.157.0, the oldest that the Go module proxy has:
 *
 *   traces   traceID 16 bytes                  service, attributes "name=value|..."
 *   logs     traceID as 32 hexadecimal digits  service value of service.name  resource "resource/<hash>"  attributes
 *   metrics  metric name                       service value of service.name  resource  streamID "stream/<hash>"  attributes
 */
export function createKeyer(signal: Signal, { key, attributes }: RoutingSettings): Keyer {
  switch (key) {
    case 'traceID':
      return signal === 'logs' ? new LogTraceIdKeyer() : new TraceIdKeyer();
    case 'service':
      return signal === 'traces' ? new CompositeKeyer(signal, [SERVICE_NAME]) : new ServiceKeyer();
    case 'attributes':
      return new CompositeKeyer(signal, attributes);
    case 'metric':
      return new MetricNameKeyer();
    case 'resource':
      return new ResourceIdKeyer();
    case 'streamID':
      return new StreamIdKeyer();
  }
}

class TraceIdKeyer implements Keyer {
  targetOf(level: number, _field: number, buf: Uint8Array, from: number, end: number, route: Route): number {
    if (level !== ITEM) return -1;
    // Everybody writes the trace id first: tag 1 LEN, 16 bytes.
    if (buf[from] === 0x0a && buf[from + 1] === TRACE_ID_BYTES && from + 18 <= end) return route(buf, from + 2, from + 18);
    const id = fieldOf(buf, from, end, SPAN_TRACE_ID);
    return id === undefined || id.from === id.end ? route(NO_TRACE_ID, 0, TRACE_ID_BYTES) : route(buf, id.from, id.end);
  }
}

/** Records without a trace id are spread at random, as upstream does: all in one place would be one hot upstream. */
class LogTraceIdKeyer implements Keyer {
  targetOf(level: number, _field: number, buf: Uint8Array, from: number, end: number, route: Route): number {
    if (level !== ITEM) return -1;
    const id = fieldOf(buf, from, end, LOG_TRACE_ID);
    const bytes = id === undefined ? NO_TRACE_ID : Buffer.from(buf.buffer, buf.byteOffset + id.from, id.end - id.from);
    const hex = Buffer.from((bytes.some((byte) => byte !== 0) ? bytes : randomBytes(TRACE_ID_BYTES)).toString('hex'));
    return route(hex, 0, hex.length);
  }
}

/**
 * The value of the resource attribute service.name. Where it is missing the key is empty; upstream drops such metrics with an error in
 * its log, which the agent does not.
 */
class ServiceKeyer implements Keyer {
  readonly #name = Buffer.from(SERVICE_NAME);

  targetOf(level: number, _field: number, buf: Uint8Array, from: number, end: number, route: Route): number {
    if (level !== RESOURCE) return -1;
    const key = Buffer.from(attributeTextIn(buf, from, end, 1, ATTRIBUTES_OF.resource, this.#name) ?? '');
    return route(key, 0, key.length);
  }
}

class MetricNameKeyer implements Keyer {
  targetOf(level: number, _field: number, buf: Uint8Array, from: number, end: number, route: Route): number {
    if (level !== ITEM) return -1;
    const key = Buffer.from(textOf(buf, from, end, 1));
    return route(key, 0, key.length);
  }
}

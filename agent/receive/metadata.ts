import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHeaders } from '../http2/server.ts';
import type { Metadata } from '../process/process.ts';
import type { HttpRequest } from './http-exchange.ts';

/** The headers of a request for later stages (`include_metadata`), by lower-case name, as the Collector's client.Metadata has them. */
export function httpMetadata({
  headers,
  headersDistinct,
}: Pick<HttpRequest, 'headers'> & { headersDistinct?: NodeJS.Dict<string[]> }): Metadata {
  const found = headersDistinct === undefined ? entriesOf(headers) : Object.entries(headersDistinct);
  const metadata = new Map<string, readonly string[]>(found.flatMap(([name, values]) => (values === undefined ? [] : [[name, values]])));
  const host = headers[':authority'];
  if (!metadata.has('host') && typeof host === 'string') metadata.set('host', [host]);
  return metadata;
}

/** Of a gRPC call: its metadata, `:authority` with them and the other pseudo headers not, as grpc-go has them. */
export function grpcMetadata(headers: RequestHeaders): Metadata {
  const metadata = new Map<string, readonly string[]>(entriesOf(headers));
  const authority = headers[':authority'];
  if (typeof authority === 'string') metadata.set(':authority', [authority]);
  return metadata;
}

function entriesOf(headers: IncomingHttpHeaders): [string, string[]][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string[]][] => {
    if (value === undefined || name.startsWith(':')) return [];
    return [[name, Array.isArray(value) ? value : [value]]];
  });
}

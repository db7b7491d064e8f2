/**
 * The OTLP 1.11 specification as 41 statements (opentelemetry-proto v1.11.0, docs/specification.md), in our words. Each is one test of the
 * same number against a running program; docs/reference/otlp.md is made of this table and of what the tests found.
 */
export interface Statement {
  readonly number: number;
  /** Who it binds: everybody, a server over gRPC or HTTP, JSON, a client. */
  readonly part: 'common' | 'gRPC server' | 'HTTP server' | 'JSON' | 'client';
  readonly level: 'MUST' | 'SHOULD' | 'MAY';
  /** The heading of the specification under which it stands. */
  readonly clause: string;
  readonly text: string;
  /** Where its test is, under test/agent/statements. */
  readonly file: string;
}

type Row = readonly [level: Statement['level'], clause: string, text: string];

const block = (part: Statement['part'], file: string, first: number, rows: readonly Row[]): Statement[] =>
  rows.map(([level, clause, text], i) => ({ number: first + i, part, level, clause, text, file }));

export const STATEMENTS: readonly Statement[] = [
  ...block('common', 'common.ts', 1, [
    ['MUST', 'Protocol Details', 'requests are accepted uncompressed and gzip-compressed, over gRPC and over HTTP'],
    ['SHOULD', 'Full Success', 'a request without any data is answered with success'],
    ['MUST', 'Full Success', 'full success leaves partial_success unset'],
    ['MUST', 'Partial Success', 'what was accepted in part is a success that says how many were rejected and why'],
    ['MAY', 'Partial Success', 'a warning comes with 0 rejected and a message'],
    [
      'MUST',
      'OTLP/gRPC Request, OTLP/HTTP Request',
      'the size of a request is limited on the wire and after decompression, 64 MiB by default, configurable',
    ],
    ['MUST', 'OTLP/gRPC Response, OTLP/HTTP Response', 'no response is larger than 4 MiB: the message is shortened, the numbers stay'],
    ['MUST', 'Future Versions and Interoperability', 'unknown protobuf fields do not fail a request'],
    ['MUST', 'common.proto, AnyValue', 'every kind of attribute value is accepted: empty, bytes, lists of maps, arrays of mixed kinds'],
  ]),
  ...block('gRPC server', 'grpc-server.ts', 10, [
    ['MUST', 'OTLP/gRPC Default Port', 'gRPC is served on 4317 under the service names of the four signals'],
    ['MUST', 'OTLP/gRPC Request', 'a message over the limit is RESOURCE_EXHAUSTED without RetryInfo'],
    ['SHOULD', 'Failures', 'what cannot be decoded is INVALID_ARGUMENT'],
    ['SHOULD', 'OTLP/gRPC Throttling', 'overload is UNAVAILABLE with RetryInfo in grpc-status-details-bin'],
    ['SHOULD', 'OTLP/gRPC Concurrent Requests', 'many unary calls are under way on one connection'],
  ]),
  ...block('HTTP server', 'http-server.ts', 15, [
    ['MUST', 'OTLP/HTTP Default Port', 'HTTP is served on 4318 under the paths of the four signals'],
    ['MUST', 'OTLP/HTTP Response', 'protobuf and JSON are served on one port, and every answer has the type of its request'],
    ['MAY', 'OTLP/HTTP', 'HTTP/1.1 and HTTP/2 are served on one port'],
    ['MUST', 'OTLP/HTTP Request', 'gzip bodies are accepted, and a gzip response is only for who asks'],
    ['MUST', 'Failures', 'success is 200; the body of every 4xx and 5xx is a google.rpc.Status'],
    ['MUST', 'Bad Data', 'what cannot be decoded is 400'],
    ['SHOULD', 'OTLP/HTTP Request', 'a body over the limit is 413'],
    ['SHOULD', 'OTLP/HTTP Throttling', 'overload is 429 or 503, with Retry-After in seconds where a time is named'],
    ['MUST', 'All Other Responses', 'a wrong method is 405, an unknown media type 415, an unknown path 404'],
  ]),
  ...block('JSON', 'json.ts', 24, [
    ['MUST', 'JSON Protobuf Encoding', 'trace and span ids are hex in either case, everywhere; other bytes are base64'],
    ['MUST', 'JSON Protobuf Encoding', 'enums are integers'],
    ['MUST', 'JSON Protobuf Encoding', '64-bit integers are written as strings and read from strings and numbers without loss'],
    ['MUST', 'JSON Protobuf Encoding', 'unknown keys are ignored; keys are lowerCamelCase only'],
    ['MUST', 'JSON Protobuf Encoding', 'null is unset, NaN and Infinity are strings, ids may be missing'],
  ]),
  ...block('client', 'client-retry.ts', 29, [
    ['SHOULD', 'Failures', 'gRPC: six statuses are sent again, RESOURCE_EXHAUSTED only with RetryInfo; the rest is dropped and counted'],
    ['MUST', 'Retryable Response Codes', 'HTTP: 429, 502, 503 and 504 are sent again and nothing else'],
    [
      'SHOULD',
      'OTLP/gRPC Throttling',
      'RetryInfo and Retry-After (seconds, date) are honoured, else the wait grows exponentially with jitter',
    ],
    ['MUST', 'OTLP/gRPC Throttling, OTLP/HTTP Throttling', 'who is throttled slows down as a whole'],
  ]),
  ...block('client', 'client-broken.ts', 33, [
    ['SHOULD', 'All Other Responses', 'a request whose connection ended without an answer is sent again, the same bytes'],
    ['MUST', 'Partial Success', 'a response with partial_success is never followed by a retry'],
  ]),
  ...block('client', 'client-limits.ts', 35, [
    ['SHOULD', 'OTLP/gRPC Request, OTLP/HTTP Request', 'the size of outgoing requests is limited before compression'],
    ['MUST', 'OTLP/gRPC Response, OTLP/HTTP Response', 'the size of responses is limited; one above the limit is not followed by a retry'],
    ['SHOULD', 'OTLP/gRPC Concurrent Requests', 'the number of concurrent requests is configurable'],
    [
      'SHOULD',
      'OTLP/gRPC Concurrent Requests',
      'shutdown waits for acknowledgements or runs out of time; what was not delivered is recorded',
    ],
    ['SHOULD', 'OTLP/HTTP Connection', 'connections are kept alive between requests'],
    ['SHOULD', 'Empty Telemetry Envelopes', 'no empty envelopes are sent'],
  ]),
  ...block('client', 'client-fan-out.ts', 41, [
    [
      'SHOULD',
      'Multi-Destination Exporting',
      'each destination has its own queue, acknowledgement and retry; a slow one does not hold up the others',
    ],
  ]),
];

/** `07 no response is larger than 4 MiB: ...`, the name of a statement's test. */
export function statementName({ number, text }: Statement): string {
  return `${String(number).padStart(2, '0')} ${text}`;
}

/** What stands behind each failed test of the real Collector, in words. A test demands one note for each of them and no more. */
export const COLLECTOR_NOTES: Readonly<Record<number, string>> = {
  3: 'sets an empty `partial_success` in every response; clients take that for full success',
  4: 'what a next hop rejects in part is not passed on: the sender is told full success, with `wait_for_result` too',
  5: 'warnings of a next hop are not passed on',
  6: 'its defaults are 4 MiB (gRPC) and 20 MiB (HTTP); configured limits hold',
  12: 'INTERNAL; clients do not retry that either',
  13: 'UNAVAILABLE without RetryInfo: the sender falls back to its own backoff',
  16: 'the answer for an unknown path is text/plain',
  17: 'no HTTP/2 without TLS',
  19: 'the body for an unknown path is plain text',
  21: '400 instead of 413; clients do not retry that either',
  27: 'reads `trace_id` as a name of `traceId`',
  28: 'null for an enum is refused',
  32: 'each request waits by itself; the others go on at full speed',
  36: 'over HTTP the request is sent again, although it was taken',
};

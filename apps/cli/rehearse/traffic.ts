/** What people do with the shop of the sample service: every route, also one that is slow and one that fails. */
const REQUESTS: readonly (readonly [method: 'GET' | 'POST', path: string])[] = [
  ['GET', '/api/orders'],
  ['POST', '/api/orders'],
  ['GET', '/api/orders/1'],
  ['GET', '/api/slow?ms=20'],
  ['GET', '/api/fail'],
];
const ROUNDS = 10;

/** Uses the service and returns the traces that it named. */
export async function useService(url: string, stop: AbortSignal): Promise<string[]> {
  const traceIds: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [method, path] of REQUESTS) {
      const body = method === 'POST' ? { body: JSON.stringify({ item: 'book', quantity: 1 }) } : {};
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}${path}`, {
        method,
        headers,
        ...body,
        signal: AbortSignal.any([stop, AbortSignal.timeout(10_000)]),
      });
      await response.arrayBuffer();
      const traceId = response.headers.get('x-trace-id');
      if (traceId !== null) {
        traceIds.push(traceId);
      }
    }
  }
  return traceIds;
}

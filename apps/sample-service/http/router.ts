/** Routes as patterns with named parts. The pattern, not the path, is the label of metrics and the name of spans: it has few values. */
import type { IncomingMessage } from 'node:http';

export interface HttpRequest {
  readonly params: { readonly [name: string]: string };
  readonly query: URLSearchParams;
  /** The body as JSON, at most MAX_BODY_BYTES. Throws HttpError 400 or 413. */
  json(): Promise<unknown>;
}

export interface HttpReply {
  readonly status: number;
  readonly body: object;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** For instance `/api/orders/:id`. */
  readonly path: string;
  handle(request: HttpRequest): HttpReply | Promise<HttpReply>;
}

/** An answer that is not a fault of the program: it becomes `{ error: message }` with its status. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export const MAX_BODY_BYTES = 64 * 1024;

export type Match =
  | { readonly route: Route; readonly params: { [name: string]: string } }
  | { readonly allow: readonly string[] }
  | undefined;

/** The route, the methods that the path would allow, or undefined for an unknown path. */
export function match(routes: readonly Route[], method: string, path: string): Match {
  const allow: string[] = [];
  for (const route of routes) {
    const params = paramsOf(route.path, path);
    if (!params) continue;
    if (route.method === method) return { route, params };
    allow.push(route.method);
  }
  return allow.length > 0 ? { allow } : undefined;
}

function paramsOf(pattern: string, path: string): { [name: string]: string } | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const params: { [name: string]: string } = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? '';
    if (part.startsWith(':') && actual !== '') params[part.slice(1)] = decode(actual);
    else if (part !== actual) return undefined;
  }
  return params;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpError(400, `'${part}' is not percent-encoded correctly`);
  }
}

export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new HttpError(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpError(400, 'the body is not JSON');
  }
}

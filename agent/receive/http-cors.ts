import type { CorsSettings } from '../config/settings.ts';
import type { HttpRequest, HttpResponse } from './http-exchange.ts';

/**
 * Cross-origin requests of browsers, by the rules of github.com/rs/cors 1.11 with the options that the Collector gives it (credentials
 * allowed, its default methods), so that a web page that could send there can send here.
 */
const ALLOWED_METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'HEAD', 'OPTIONS']);
const DEFAULT_ALLOWED_HEADERS: readonly string[] = ['accept', 'content-type', 'x-requested-with'];
const NOTHING = new Uint8Array(0);
const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

/** Sets the headers of the answer; true where the request was a preflight and is answered. */
export function respondCors(cors: CorsSettings, request: HttpRequest, response: HttpResponse): boolean {
  if (cors.allowedOrigins.length === 0) return false; // the Collector ignores the section then
  const { headers } = request;
  const { origin } = headers;
  const preflight = request.method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
  response.setHeader('vary', preflight ? PREFLIGHT_VARY : 'Origin');
  const every = cors.allowedOrigins.includes('*');
  const allowed = origin !== undefined && origin !== '' && (every || cors.allowedOrigins.some((one) => originMatches(one, origin)));
  if (allowed && preflight) allowPreflight(cors, request, response, every ? '*' : origin);
  else if (allowed && ALLOWED_METHODS.has(request.method ?? '')) {
    response.setHeader('access-control-allow-origin', every ? '*' : origin);
    if (cors.exposedHeaders.length > 0) response.setHeader('access-control-expose-headers', cors.exposedHeaders.map(canonical).join(', '));
    response.setHeader('access-control-allow-credentials', 'true');
  }
  if (!preflight) return false;
  response.writeHead(204);
  response.end(NOTHING);
  return true;
}

function allowPreflight(cors: CorsSettings, { headers }: HttpRequest, response: HttpResponse, origin: string): void {
  const method = String(headers['access-control-request-method']);
  const wanted = headers['access-control-request-headers'];
  if (!ALLOWED_METHODS.has(method) || !headersAllowed(cors.allowedHeaders, String(wanted ?? ''))) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', method);
  if (wanted !== undefined && wanted !== '') response.setHeader('access-control-allow-headers', String(wanted));
  response.setHeader('access-control-allow-credentials', 'true');
  if (cors.maxAgeSeconds !== 0) response.setHeader('access-control-max-age', String(Math.max(0, cors.maxAgeSeconds)));
}

/** Browsers send the names in lower case; rs/cors refuses them otherwise, and wants them sorted, which browsers do and we need not ask. */
function headersAllowed(allowed: readonly string[], wanted: string): boolean {
  if (allowed.includes('*')) return true;
  const names = new Set(allowed.length === 0 ? DEFAULT_ALLOWED_HEADERS : allowed.map((name) => name.toLowerCase()));
  return wanted.split(',').every((name) => name.trim() === '' || names.has(name.trim()));
}

/** One `*` inside stands for any text. */
function originMatches(allowed: string, origin: string): boolean {
  const star = allowed.indexOf('*');
  const lower = origin.toLowerCase();
  if (star < 0) return allowed.toLowerCase() === lower;
  const head = allowed.slice(0, star).toLowerCase();
  const tail = allowed.slice(star + 1).toLowerCase();
  return lower.length >= head.length + tail.length && lower.startsWith(head) && lower.endsWith(tail);
}

/** Go's http.CanonicalHeaderKey. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());
}

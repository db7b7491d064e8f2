/**
 * One request: join or begin the trace -> SERVER span -> route -> answer -> span, metrics and one log line.
 * Health checks and scrapes are answered aside, without any of that: they would drown the traffic that matters.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, metrics, propagation, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
  METRIC_HTTP_SERVER_REQUEST_DURATION,
} from '@opentelemetry/semantic-conventions';
import type { Log } from '../telemetry/log.ts';
import type { ServiceMetrics } from '../telemetry/prometheus.ts';
import { HttpError, type HttpReply, match, type Route, readJson } from './router.ts';

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  /** GET paths outside of the instrumentation. */
  readonly plain: { readonly [path: string]: () => Promise<PlainReply> };
  readonly metrics: ServiceMetrics;
  readonly log: Log;
}

export interface PlainReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpServer {
  /** Resolves with the port. Rejects with the error of listen(). */
  listen(port: number, host: string | undefined): Promise<number>;
  /** Accepts nothing more; resolves when the last request is answered, or cuts the rest at the deadline and says how many. */
  drain(deadlineMs: number): Promise<{ cut: number }>;
}

/** Route label of requests that no route takes: one value, whatever the path. */
const UNMATCHED = 'unmatched';
/** Status of a request whose client went away before the answer, as nginx writes it. */
const CLIENT_CLOSED = 499;

// Buckets that the semantic conventions advise for this metric.
// @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration
const SEMCONV_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const tracer = trace.getTracer('otlp-stack-sample-service');
  const durations = metrics.getMeter('otlp-stack-sample-service').createHistogram(METRIC_HTTP_SERVER_REQUEST_DURATION, {
    unit: 's',
    description: 'Duration of HTTP server requests.',
    advice: { explicitBucketBoundaries: SEMCONV_BUCKETS_S },
  });
  let open = 0;
  let draining = false;
  let lastIsDone = (): void => undefined;

  const serve = (request: IncomingMessage, response: ServerResponse, url: URL): void => {
    const began = performance.now();
    const method = request.method ?? 'GET';
    const parent = propagation.extract(ROOT_CONTEXT, request.headers);
    const span = tracer.startSpan(
      method,
      {
        kind: SpanKind.SERVER,
        attributes: {
          [ATTR_HTTP_REQUEST_METHOD]: method,
          [ATTR_URL_PATH]: url.pathname,
          [ATTR_URL_SCHEME]: 'http',
          [ATTR_USER_AGENT_ORIGINAL]: request.headers['user-agent'],
        },
      },
      parent,
    );
    const inSpan = trace.setSpan(parent, span);
    let route = UNMATCHED;
    let failure: Error | undefined;
    open++;
    // 'close' comes once, after the answer or instead of it.
    response.once('close', () => {
      open--;
      const status = response.writableFinished ? response.statusCode : CLIENT_CLOSED;
      const seconds = (performance.now() - began) / 1000;
      const labels = { [ATTR_HTTP_REQUEST_METHOD]: method, [ATTR_HTTP_ROUTE]: route, [ATTR_HTTP_RESPONSE_STATUS_CODE]: status };
      context.with(inSpan, () => {
        endSpan(span, method, route, status, failure);
        durations.record(seconds, { ...labels, [ATTR_URL_SCHEME]: 'http' });
        options.metrics.observeRequest(method, route, status, seconds);
        const fields = { method, route, status, duration: Number(seconds.toFixed(6)), path: url.pathname };
        options.log.write(status >= 500 ? 'error' : 'info', 'request', fields, failure);
      });
      if (open === 0) lastIsDone();
    });
    void context.with(inSpan, async () => {
      let reply: HttpReply;
      try {
        const found = match(options.routes, method, url.pathname);
        if (!found) throw new HttpError(404, `no such path: ${url.pathname}`);
        if ('allow' in found) {
          response.setHeader('allow', found.allow.join(', '));
          throw new HttpError(405, `${method} is not allowed here; allowed: ${found.allow.join(', ')}`);
        }
        route = found.route.path;
        reply = await found.route.handle({ params: found.params, query: url.searchParams, json: () => readJson(request) });
      } catch (error) {
        const status = error instanceof HttpError ? error.status : 500;
        failure = status >= 500 ? (error as Error) : undefined;
        reply = { status, body: { error: (error as Error).message } };
      }
      send(response, reply, span.spanContext().traceId, draining || bodyIsUnread(request));
    });
  };

  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://service');
    const plain = request.method === 'GET' ? options.plain[url.pathname] : undefined;
    if (!plain) return serve(request, response, url);
    plain().then(
      (reply) => {
        response
          .writeHead(reply.status, { 'content-type': reply.contentType, ...(draining ? { connection: 'close' } : {}) })
          .end(reply.body);
      },
      (error: Error) => {
        options.log.write('error', `${url.pathname} failed`, {}, error);
        response.writeHead(500).end();
      },
    );
  });
  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
      }),
    drain: async (deadlineMs) => {
      let cut = 0;
      // close() ends idle connections now, but leaves one that becomes idle later open for its keep-alive time: answers say `close`.
      draining = true;
      const timer = setTimeout(() => {
        cut = open;
        server.closeAllConnections();
      }, deadlineMs);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(timer);
      // The server is closed a moment before the last response says so, and it is the response that ends the span.
      if (open > 0) await new Promise<void>((resolve) => (lastIsDone = resolve));
      return { cut };
    },
  };
}

function send(response: ServerResponse, reply: HttpReply, traceId: string, close: boolean): void {
  if (response.destroyed) return;
  const body = JSON.stringify(reply.body);
  response.writeHead(reply.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-trace-id': traceId,
    ...(close ? { connection: 'close' } : {}),
  });
  response.end(body);
}

/** What is left of such a body would be taken for the next request, so the connection ends with the answer. */
function bodyIsUnread(request: IncomingMessage): boolean {
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  return hasBody && !request.complete;
}

function endSpan(span: Span, method: string, route: string, status: number, failure: Error | undefined): void {
  if (route !== UNMATCHED) {
    span.updateName(`${method} ${route}`);
    span.setAttribute(ATTR_HTTP_ROUTE, route);
  }
  span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
  if (failure) span.recordException(failure);
  // For a server 4xx is the client's fault and leaves the status unset. @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
  if (status >= 500) {
    span.setAttribute(ATTR_ERROR_TYPE, failure?.name ?? String(status));
    span.setStatus({ code: SpanStatusCode.ERROR, ...(failure ? { message: failure.message } : {}) });
  }
  span.end();
}

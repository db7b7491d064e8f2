import { Agent, type Dispatcher } from 'undici';
import type { OtlpHttpExporterSettings, Signal } from '../config/settings.ts';
import { decodePartialSuccess, decodeStatus } from '../otlp/status.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import { OK, type Outcome } from '../runtime/outcome.ts';
import { USER_AGENT } from '../runtime/version.ts';
import { compress } from './compress.ts';
import { httpStatusToGrpc } from './grpc-outcome.ts';
import type { Encoded, Transport } from './transport.ts';

/** Spec 1.11, OTLP/HTTP, "Retryable response codes"; no other 4xx or 5xx is sent again. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Responses above are not read (spec: response size limit). */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const MAX_RETRY_AFTER_MS = 5 * 60_000;
const PROTOBUF = 'application/x-protobuf';

/** OTLP/HTTP with protobuf bodies over undici: kept-alive connections, no redirects, no retries of its own. */
export class HttpTransport implements Transport {
  readonly labels: Readonly<Record<string, string>>;
  readonly #settings: OtlpHttpExporterSettings;
  readonly #agent: Agent;
  readonly #closing = new AbortController();

  constructor(settings: OtlpHttpExporterSettings, signal: Signal) {
    this.#settings = settings;
    const url = new URL(settings.urls[signal]);
    this.labels = {
      server_address: url.hostname,
      server_port: url.port || (url.protocol === 'https:' ? '443' : '80'),
      url_path: url.pathname,
    };
    this.#agent = new Agent({
      connections: settings.maxConnections > 0 ? settings.maxConnections : null,
      pipelining: 1,
      keepAliveTimeout: settings.idleConnectionTimeoutMs,
      connectTimeout: settings.timeoutMs,
      headersTimeout: settings.timeoutMs,
      bodyTimeout: settings.timeoutMs,
    });
  }

  encode(signal: Signal, slices: readonly Uint8Array[], bytes: number, items: number): Encoded | Promise<Encoded> {
    // One buffer: undici writes an iterable piece by piece with a microtask each, which costs more than the copy. Joined here, it is one
    // for all attempts, and counted as held (attempt.ts).
    const whole = slices.length === 1 ? slices : [Buffer.concat(slices, bytes)];
    return compress(this.#settings.compression, this.#settings.compressionLevel, signal, whole, bytes, items);
  }

  async send(body: Encoded): Promise<Outcome> {
    const url = new URL(this.#settings.urls[body.signal]);
    const timeout = AbortSignal.timeout(this.#settings.timeoutMs);
    try {
      const response = await this.#agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: {
          'content-type': PROTOBUF,
          'user-agent': USER_AGENT,
          ...(body.encoding === 'identity' ? {} : { 'content-encoding': body.encoding }),
          ...this.#settings.headers,
        },
        body: body.slices[0] as Uint8Array,
        signal: AbortSignal.any([timeout, this.#closing.signal]),
      });
      return await this.#outcome(response);
    } catch (error) {
      // No answer, for whatever reason: the same request may be sent again (spec: disconnect without a response).
      if (timeout.aborted) return retry(GrpcStatus.DEADLINE_EXCEEDED, `no answer within ${this.#settings.timeoutMs} ms`, undefined);
      return retry(GrpcStatus.UNAVAILABLE, (error as Error).message, undefined);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.destroy();
  }

  async #outcome(response: Dispatcher.ResponseData): Promise<Outcome> {
    const { statusCode: status, headers } = response;
    const body = await readLimited(response);
    if (body === undefined) {
      const message = `the response (HTTP status ${status}) is larger than ${MAX_RESPONSE_BYTES} bytes`;
      return { kind: 'reject', code: GrpcStatus.RESOURCE_EXHAUSTED, message, taken: status < 300 };
    }
    if (status >= 200 && status < 300) {
      const partial = headers['content-type'] === PROTOBUF ? decodePartialSuccess(body) : undefined;
      return partial === undefined ? OK : { kind: 'ok', rejected: partial.rejected, message: partial.message };
    }
    const said = headers['content-type'] === PROTOBUF ? decodeStatus(body)?.message : undefined;
    const message = said === undefined || said === '' ? `HTTP status ${status}` : `HTTP status ${status}: ${said}`;
    if (!RETRYABLE.has(status)) return { kind: 'reject', code: httpStatusToGrpc(status), message };
    return retry(httpStatusToGrpc(status), message, retryAfterMs(headers['retry-after'], Date.now()));
  }
}

function retry(code: number, message: string, afterMs: number | undefined): Outcome {
  return { kind: 'retry', afterMs, code, message };
}

/** Reads to the end, so that the connection can be used again; undefined above the limit, and the connection is given up. */
async function readLimited(response: Dispatcher.ResponseData): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response.body as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_RESPONSE_BYTES) return undefined; // leaving the loop destroys the body
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}

/** Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS);
}

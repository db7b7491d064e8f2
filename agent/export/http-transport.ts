import type { OtlpHttpExporterSettings, Signal } from '../config/settings.ts';
import type { HttpClient, HttpClientOptions, HttpEnd, HttpTarget } from '../http1/client.ts';
import { inPieces } from '../http1/client-request.ts';
import { protoToJson } from '../otlp/json/json.ts';
import { GrpcStatus } from '../runtime/grpc-status.ts';
import type { Outcome } from '../runtime/outcome.ts';
import { USER_AGENT } from '../runtime/version.ts';
import { compress } from './compress.ts';
import { httpOutcome, MAX_RESPONSE_BYTES, retry } from './http-outcome.ts';
import { type Environment, parseProxy, proxyFromEnvironment } from './http-proxy.ts';
import type { Encoded, Transport } from './transport.ts';

/** What small slices become, at least. */
const JOINED_BYTES = 256 * 1024;

const CONTENT_TYPES = { proto: 'application/x-protobuf', json: 'application/json' } as const;

/**
 * Headers that say how a body or a connection is to be read, or that an answer should come in the middle of the request: they are the
 * client's, whatever `headers` has. Go's net/http leaves those of the body out as well, and so does a Collector.
 */
const OF_THE_CLIENT: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** OTLP/HTTP with protobuf or JSON bodies over HTTP/1.1: kept-alive connections, no redirects, no retries of its own. */
export class HttpTransport implements Transport {
  readonly labels: Readonly<Record<string, string>>;
  readonly #settings: OtlpHttpExporterSettings;
  readonly #client: HttpClient;

  constructor(settings: OtlpHttpExporterSettings, url: URL, client: HttpClient) {
    this.#settings = settings;
    this.#client = client;
    this.labels = {
      server_address: url.hostname,
      server_port: url.port || (url.protocol === 'https:' ? '443' : '80'),
      url_path: url.pathname,
    };
  }

  /** With the client that `http1_codec` names; only that one is loaded. Throws where HTTP_PROXY names what is no HTTP proxy. */
  static async create(settings: OtlpHttpExporterSettings, signal: Signal, environment: Environment = process.env): Promise<HttpTransport> {
    const url = new URL(settings.urls[signal]);
    const target = targetOf(url, settings, environment);
    const options: HttpClientOptions = {
      maxConnections: settings.maxConnections,
      keepAlives: settings.keepAlives,
      idleTimeoutMs: settings.idleConnectionTimeoutMs,
      timeoutMs: settings.timeoutMs,
      maxAnswerBytes: MAX_RESPONSE_BYTES,
    };
    const create =
      settings.http1Codec === 'undici'
        ? (await import('../http1/client-undici.ts')).createUndiciClient
        : (await import('../http1/client-pool.ts')).createHttpClient;
    return new HttpTransport(settings, url, create(target, options));
  }

  /** Throws where the bytes cannot become JSON: they were scanned as far as their items, and no further. */
  encode(
    signal: Signal,
    slices: readonly Uint8Array[],
    bytes: number,
    items: number,
    members?: readonly Uint8Array[],
  ): Encoded | Promise<Encoded> {
    const { compression, compressionLevel, encoding } = this.#settings;
    if (encoding === 'json') {
      const json = protoToJson(signal, slices);
      return compress(compression, compressionLevel, signal, [json], json.length, items);
    }
    const body = compress(compression, compressionLevel, signal, slices, bytes, items, members);
    return body instanceof Promise ? body.then((made) => this.#joined(made)) : this.#joined(body);
  }

  send(body: Encoded): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    if (this.#client.readsOn) body.stillRead = true;
    this.#client.post(body, (end) => resolve(this.#outcome(body.signal, end)));
    return promise;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** Here and not when it is sent: what is copied is kept for all attempts, and paid for once. */
  #joined(body: Encoded): Encoded {
    const pieces = inPieces(body.slices, this.#client.joinBelowBytes, JOINED_BYTES);
    return pieces === body.slices ? body : { ...body, slices: pieces };
  }

  /** No answer, for whatever reason: the same request may be sent again (spec: disconnect without a response). */
  #outcome(signal: Signal, end: HttpEnd): Outcome {
    switch (end.kind) {
      case 'answer':
        return httpOutcome(signal, end);
      case 'late':
        return retry(GrpcStatus.DEADLINE_EXCEEDED, `no answer within ${this.#settings.timeoutMs} ms`, undefined);
      case 'failed':
        return retry(GrpcStatus.UNAVAILABLE, end.message, undefined);
    }
  }
}

/** A proxy gets the whole URL in the request line (RFC 9112, 3.2.2); tunnels are for TLS. */
function targetOf(url: URL, settings: OtlpHttpExporterSettings, environment: Environment): HttpTarget {
  const proxy = settings.proxyUrl === undefined ? proxyFromEnvironment(url, environment) : parseProxy(settings.proxyUrl);
  if (typeof proxy === 'string') throw new Error(`${settings.id}.proxy_url ${proxy}`); // the configuration has refused it before
  const server = proxy === undefined ? url : new URL(proxy.origin);
  const path = url.pathname + url.search;
  const given = Object.entries(settings.headers).filter(([name]) => !OF_THE_CLIENT.has(name));
  return {
    host: server.hostname.replace(/^\[|\]$/g, ''),
    port: Number(server.port || '80'),
    path: proxy === undefined ? path : url.origin + path,
    headers: {
      host: url.host,
      'content-type': CONTENT_TYPES[settings.encoding],
      'user-agent': USER_AGENT,
      ...Object.fromEntries(given),
      ...(proxy?.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
    },
  };
}

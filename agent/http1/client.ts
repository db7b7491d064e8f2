/**
 * HTTP/1.1 on the client's side, as far as an exporter needs it: POSTs to one URL, each with its whole body. Two clients give it: ours
 * (client-pool.ts) and undici's (client-undici.ts), which can be had by a key.
 */

/** Where requests go. The same for all of a client. */
export interface HttpTarget {
  /** Of the server, or of the proxy. An IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Of the request line: the path, or the whole URL where a proxy is asked (RFC 9112, 3.2.2). */
  readonly path: string;
  /** In lower case, `host` among them, without those that say how body and connection are to be read. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpClientOptions {
  /** Connections at a time; 0 is as many as there are requests. */
  readonly maxConnections: number;
  /** False: a connection for each request. */
  readonly keepAlives: boolean;
  readonly idleTimeoutMs: number;
  /** From post() to the last byte of the answer, connecting included. */
  readonly timeoutMs: number;
  /** Of an answer's body. */
  readonly maxAnswerBytes: number;
}

/** `content-encoding` is left out for identity. */
export interface HttpBody {
  readonly encoding: string;
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
}

export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Content-Type as it came; `''` where there is none. */
  readonly type: string;
  readonly retryAfter: string | undefined;
  /** Undefined where it is larger than allowed. */
  readonly body: Buffer | undefined;
}

/** How a request ended. `late`: no whole answer in time; `failed`: there is none, whatever the reason, and nobody can know whether it was read. */
export type HttpEnd = HttpAnswer | { readonly kind: 'late' } | { readonly kind: 'failed'; readonly message: string };

export interface HttpClient {
  /** Bodies of several slices are sent best where none is below so many bytes. */
  readonly joinBelowBytes: number;
  /** It may go on reading the slices after `done`: an answer that came before the request was written. */
  readonly readsOn: boolean;
  /**
   * Sends one request. `done` is called once, when nothing reads the slices any more (unless it `readsOn`), and must not throw. No
   * redirects, and nothing is sent a second time.
   */
  post(body: HttpBody, done: (end: HttpEnd) => void): void;
  /** Ends what is under way, as `failed`. Resolves when no socket is left. */
  close(): Promise<void>;
}

export type CreateHttpClient = (target: HttpTarget, options: HttpClientOptions) => HttpClient;

/** What a request ends with that is under way when its client is closed, or that comes later. */
export const CLOSED = Object.freeze({ kind: 'failed', message: 'the exporter is closed' } as const);
export const LATE: HttpEnd = Object.freeze({ kind: 'late' });

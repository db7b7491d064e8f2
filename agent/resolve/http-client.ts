import type { Pool } from 'undici';
import { timerMs } from '../config/go-duration.ts';
import { AskLaterError } from './ask-loop.ts';

/**
 * HTTP towards a server that may be wrong, slow or hostile: every request has one deadline from the first byte to the last, every answer
 * a limit in bytes, and a redirect is an answer like any other (it is not followed, as a token would travel with it).
 */
export interface HttpRequest {
  readonly method?: 'GET' | 'PUT' | 'POST';
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** From connecting to the last byte. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Who reads an answer line by line. */
export interface LineReader {
  /** The status is 200; lines may come late or never. */
  opened(): void;
  line(text: string): void;
}

export interface HttpAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: string;
}

/** How much of an error's body is read for its words. */
const MAX_ERROR_BYTES = 4_096;

/** Connecting has a limit of its own: a host that drops packets is not waited for as long as an answer may take. */
const CONNECT_TIMEOUT_MS = 5_000;

export class HttpClient {
  readonly #origin: string;
  readonly #ca: string | undefined;
  #pool: Promise<Pool> | undefined;

  /** `ca` are the certificates that sign an https server. */
  constructor(origin: string, ca?: string) {
    this.#origin = origin;
    this.#ca = ca;
  }

  /** undici is loaded with the first request: it is a third of the agent's start-up time, and most agents ask nobody. */
  async #createPool(): Promise<Pool> {
    const { Pool } = await import('undici');
    return new Pool(this.#origin, {
      connections: 2,
      pipelining: 1,
      // The deadline of each request is the only clock: a blocking query is silent for minutes.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...(this.#ca === undefined ? {} : { ca: this.#ca }) },
    });
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    return await this.#open(request, async (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of answer.chunks) {
        bytes += part.length;
        if (bytes > request.maxBytes) throw new Error(`the answer has more than ${request.maxBytes} bytes`);
        parts.push(part);
      }
      return { status: answer.status, header: answer.header, body: Buffer.concat(parts, bytes).toString('utf8') };
    });
  }

  /** The lines of an answer, as they come; `maxBytes` is of one line. An answer that is not 200 is thrown. */
  async lines(request: HttpRequest, reader: LineReader): Promise<void> {
    await this.#open(request, async ({ status, header, chunks }) => {
      if (status === 200) reader.opened();
      let rest: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of chunks) {
        let from = 0;
        if (status !== 200) {
          rest.push(chunk.subarray(0, MAX_ERROR_BYTES));
          if (rest.length > 4) break;
          continue;
        }
        for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
          const text = Buffer.concat([...rest, chunk.subarray(from, end)]).toString('utf8');
          rest = [];
          bytes = 0;
          from = end + 1;
          if (text.trim() !== '') reader.line(text);
        }
        if (from === chunk.length) continue;
        bytes += chunk.length - from;
        if (bytes > request.maxBytes) throw new Error(`a line of the answer has more than ${request.maxBytes} bytes`);
        rest.push(chunk.subarray(from));
      }
      if (status !== 200) throw statusError({ status, header, body: Buffer.concat(rest).toString('utf8') });
    });
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    const pool = await this.#pool;
    await pool?.destroy();
  }

  async #open<T>(request: HttpRequest, read: (answer: OpenAnswer) => Promise<T>): Promise<T> {
    const timeoutMs = timerMs(Math.ceil(request.timeoutMs));
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      this.#pool ??= this.#createPool();
      const pool = await this.#pool;
      const { statusCode, headers, body } = await pool.request({
        method: request.method ?? 'GET',
        path: request.path,
        headers: { ...request.headers },
        body: request.body ?? null,
        signal: AbortSignal.any([request.signal, deadline]),
      });
      const header = (name: string): string | undefined => {
        const value = headers[name];
        return Array.isArray(value) ? value[0] : value;
      };
      try {
        return await read({ status: statusCode, header, chunks: body as AsyncIterable<Buffer> });
      } finally {
        // After an early end nothing more is read; the connection goes with it. destroy() may say "aborted", which nobody needs.
        body.on('error', () => {}).destroy();
      }
    } catch (error) {
      if (deadline.aborted && !request.signal.aborted) throw new Error(`${this.#origin} gave no whole answer within ${timeoutMs} ms`);
      throw error;
    }
  }
}

interface OpenAnswer {
  readonly status: number;
  readonly header: HttpAnswer['header'];
  readonly chunks: AsyncIterable<Buffer>;
}

const NEWLINE = 0x0a;

/** What an answer that is none says: status, where it points, and the beginning of its words. */
export function statusError({ status, header, body }: HttpAnswer): Error {
  const words = wordsOf(body);
  const location = header('location');
  const message = `HTTP status ${status}${location === undefined ? '' : ` to ${location.slice(0, 200)}, which is not followed`}${words === '' ? '' : `: ${words}`}`;
  const after = Number(header('retry-after') ?? Number.NaN);
  return after > 0 ? new AskLaterError(message, after * 1000) : new HttpStatusError(message, status);
}

/** Kubernetes says its reason in `message` of a Status; others say it in plain text. */
function wordsOf(body: string): string {
  try {
    return (asText(asMap(JSON.parse(body)).message) ?? body).trim().slice(0, 250);
  } catch {
    return body.trim().slice(0, 250);
  }
}

/** An answer with another status than it should have. */
export class HttpStatusError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** An answer that came and makes no sense, unlike one that did not come. */
export class ProtocolError extends Error {}

/** A body that has to be JSON, as data of no known shape. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new ProtocolError(`the answer is no JSON; it begins with ${JSON.stringify(body.slice(0, 60))}`);
  }
}

/** Data as a map of keys, or an empty one: hostile answers have anything anywhere. */
export function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

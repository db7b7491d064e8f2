import { STATUS_CODES } from 'node:http';
import { type AnswerHeaders, PROTOBUF_ANSWER } from './exchange.ts';

const NO_BYTES = new Uint8Array(0);

/** Names that say how a connection or a body is to be read: who sets them by configuration has node:http, which knows what follows. */
const FRAMING = new Set(['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'trailer', 'transfer-encoding', 'upgrade']);

/** Whether these can be written as they are in front of the headers of any answer. */
export function fixedHeaders(headers: AnswerHeaders): boolean {
  return Object.entries(headers).every(
    ([name, value]) => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/[^\t\x20-\x7e]/.test(value) && !FRAMING.has(name.toLowerCase()),
  );
}

/**
 * Answers as bytes, with the headers that node:http gives. Nearly all are the same one: 200 without a body, whose only change is the
 * second in Date (RFC 9110, 6.6.1: a server with a clock sends it), so it is made once a second.
 */
export class Answers {
  readonly #fixed: string;
  readonly #keepAlive: string;
  #second = 0;
  #date = '';
  #ok: Buffer = Buffer.alloc(0);

  /** `fixed`: of every answer. `idleTimeoutMs`: told to clients, so that they do not send on a connection that is about to end; 0 is not. */
  constructor(fixed: AnswerHeaders, idleTimeoutMs: number) {
    this.#fixed = linesOf(fixed);
    const seconds = Math.floor(idleTimeoutMs / 1000);
    this.#keepAlive = `Connection: keep-alive\r\n${idleTimeoutMs > 0 ? `Keep-Alive: timeout=${seconds}\r\n` : ''}`;
  }

  /** The whole answer. */
  bytes(status: number, headers: AnswerHeaders, body: Uint8Array, close: boolean): Buffer {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = new Date(second * 1000).toUTCString();
      this.#ok = this.#make(200, PROTOBUF_ANSWER, NO_BYTES, false);
    }
    if (status === 200 && body.length === 0 && headers === PROTOBUF_ANSWER && !close) return this.#ok;
    return this.#make(status, headers, body, close);
  }

  #make(status: number, headers: AnswerHeaders, body: Uint8Array, close: boolean): Buffer {
    const head =
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${this.#fixed}${linesOf(headers)}content-length: ${body.length}\r\n` +
      `Date: ${this.#date}\r\n${close ? 'Connection: close\r\n' : this.#keepAlive}\r\n`;
    return Buffer.concat([Buffer.from(head, 'latin1'), body]);
  }
}

function linesOf(headers: AnswerHeaders): string {
  let lines = '';
  for (const name in headers) lines += `${name}: ${headers[name]}\r\n`;
  return lines;
}

/** To a client whose request could not be read: as node:http's default, no body and the end of the connection. */
export function bareAnswer(status: number): Buffer {
  return Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`, 'latin1');
}

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { OtlpHttpExporterSettings } from '../../../agent/config/settings.ts';
import { httpExporter, QUEUE, RETRY } from '../kit/settings.ts';
import { deliverTo, type Ledger, namesOf } from './support/hostile.ts';

const AGAIN = ['503 Service Unavailable', '429 Too Many Requests', '502 Bad Gateway'] as const;

/** One connection of a server that does by chance all that HTTP/1.1 lets it, and nothing that takes an answer back. */
class Hostile {
  readonly #socket: Socket;
  readonly #random: () => number;
  readonly #ledger: Ledger;
  #bytes: Buffer = Buffer.alloc(0);
  #busy = false;
  #answered = false;
  #ended = false;
  calm = false;

  constructor(socket: Socket, random: () => number, ledger: Ledger) {
    this.#socket = socket;
    this.#random = random;
    this.#ledger = ledger;
    socket.on('error', () => {});
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('end', () => this.#end());
    socket.on('close', () => {
      this.#ended = true;
    });
    if (this.#chance(0.05)) this.#end();
  }

  #chance(of: number): boolean {
    return !this.calm && this.#random() < of;
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  /** In order: what was written before comes. */
  #end(): void {
    this.#ended = true;
    this.#socket.end();
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (this.#ended || this.#busy) return;
    if (this.#chance(0.01) && !this.#answered) {
      this.#ended = true;
      this.#socket.resetAndDestroy();
      return;
    }
    if (this.#chance(0.01)) {
      this.#end(); // in the middle of a request, or between two
      return;
    }
    const head = this.#bytes.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#bytes.toString('latin1', 0, head))?.[1]);
    const whole = head + 4 + length;
    if (this.#bytes.length < whole) {
      if (this.#chance(0.05)) {
        // An answer before the request is whole: what is still to come is read, so that the kernel takes nothing back.
        this.#socket.write(`HTTP/1.1 ${this.#pick(AGAIN)}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        this.#end();
      }
      return;
    }
    const names = namesOf(this.#bytes.subarray(head + 4, whole));
    this.#bytes = this.#bytes.subarray(whole);
    this.#ledger.came(names);
    void this.#answer(names);
  }

  async #answer(names: readonly string[]): Promise<void> {
    this.#busy = true;
    if (this.#chance(0.5)) await sleep(Math.floor(this.#random() * 5));
    if (this.#chance(0.05)) this.#end();
    if (this.#ended) return;
    if (this.#chance(0.2)) await this.#write('HTTP/1.1 100 Continue\r\n\r\n');
    if (this.#chance(0.2)) {
      await this.#write(`HTTP/1.1 ${this.#pick(AGAIN)}\r\nContent-Length: 2\r\nRetry-After: 0\r\n\r\nno`);
      this.#next();
      return;
    }
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n';
    const [answer, ends] = this.#pick([
      [`${head}Content-Length: 0\r\n\r\n`, false],
      [`${head}Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n\x0a\x00\r\n0\r\nTrailer: x\r\n\r\n`, false],
      [`${head}Connection: close\r\nContent-Length: 0\r\n\r\n`, true],
      [`${head}Keep-Alive: timeout=0\r\nContent-Length: 0\r\n\r\n`, true],
      [`${head}Connection: close\r\n\r\n`, true],
      ['HTTP/1.0 200 OK\r\n\r\n', true],
      ['HTTP/1.1 204 No Content\r\n\r\n', false],
      [`${head}Content-Length: 0\r\n\r\nwhat nobody asked for`, true],
    ] as const);
    this.#answered = true;
    const at = Math.floor(this.#random() * answer.indexOf('\r\n\r\n')); // within the head: nobody can take it for an answer
    const cut = this.#chance(0.3);
    if (cut) await this.#write(answer.slice(0, at));
    if (this.#ended) return;
    this.#ledger.take(names);
    this.#socket.write(cut ? answer.slice(at) : answer, 'latin1');
    // Also where it has not said so: the next request may be on its way already.
    if (ends || this.#chance(0.1)) this.#end();
    else this.#next();
  }

  #next(): void {
    this.#busy = false;
    this.#read(Buffer.alloc(0));
  }

  async #write(text: string): Promise<void> {
    this.#socket.write(text, 'latin1');
    await sleep(1);
  }
}

const BATCH = { flushTimeoutMs: 5, minSize: 4, maxSize: 0, sizer: 'items' } as const;
/** undici takes some of these answers for none, such as one with bytes behind it: what was answered so is sent again. */
const exporterTo = (more: Partial<OtlpHttpExporterSettings>) => (port: number) =>
  httpExporter(port, { http1Codec: 'own', timeoutMs: 60_000, retry: { ...RETRY, initialIntervalMs: 2, maxIntervalMs: 10 }, ...more });

describe('a next hop that does by chance all that HTTP/1.1 lets it', () => {
  const seed = Date.now() & 0x7fffffff;
  it.each<[string, Partial<OtlpHttpExporterSettings>]>([
    ['a request for each', {}],
    ['merged requests', { queue: { ...QUEUE, batch: BATCH } }],
    ['one connection', { maxConnections: 1 }],
    ['a connection for each', { keepAlives: false }],
  ])('gets every span, and none again that it has taken: %s', async (_what, exporter) => {
    console.log(`seed ${seed}`);
    await fc.assert(
      fc.asyncProperty(fc.integer(), (one) => deliverTo((...given) => new Hostile(...given), one, exporterTo(exporter))),
      { seed, numRuns: Number(process.env.OTLP_STACK_RUNS ?? 4), endOnFailure: true },
    );
  });
});

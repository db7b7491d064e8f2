import * as grpc from '@grpc/grpc-js';
import { expect } from 'vitest';
import type { Signal } from '../../../agent/config/settings.ts';
import { type Agent, type Books, createAgent, imbalances, type Log } from '../../../agent/index.ts';
import { SIGNAL_FACTS } from '../../../agent/otlp/signals.ts';
import { type AgentShape, agentSettings, NO_DEADLINE_MS } from './settings.ts';

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An agent in this process, on free ports, with its log in an array. */
export interface Running {
  readonly agent: Agent;
  readonly lines: LogLine[];
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly healthPort: number;
  readonly metricsPort: number;
}

export async function startAgent(shape: AgentShape): Promise<Running> {
  const lines: LogLine[] = [];
  const agent = await createAgent(agentSettings(shape), { log: recordingLog(lines) });
  await agent.start();
  const port = (name: string): number => {
    const address = agent.addresses[name];
    if (address?.kind !== 'tcp') throw new Error(`${name} is not bound to a TCP port`);
    return address.port;
  };
  return {
    agent,
    lines,
    grpcPort: port('otlp/grpc'),
    httpPort: port('otlp/http'),
    healthPort: port('health_check'),
    metricsPort: port('metrics'),
  };
}

export function recordingLog(lines: LogLine[]): Log {
  const at = (level: string) => (event: string, fields?: object) => void lines.push({ level, event, fields: { ...fields } });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Drains, closes, and demands that every item is in exactly one place. The one check that every test of the path ends with. */
export async function finish(running: Running, deadlineMs = NO_DEADLINE_MS): Promise<Books> {
  await running.agent.drain(deadlineMs);
  await running.agent.close();
  return assertBooksBalance(running.agent);
}

export function assertBooksBalance(agent: Agent): Books {
  const books = agent.books();
  expect(imbalances(books)).toEqual([]);
  expect(agent.heldBytes).toBe(books.total.queued === 0 ? 0 : agent.heldBytes);
  return books;
}

const raw = (bytes: Buffer): Buffer => bytes;

/** Those of grpc-js, and a signal at which the sender gives up. */
export type CallOptions = grpc.CallOptions & { readonly signal?: AbortSignal };

/**
 * Refused before the application saw it, most often by the client's own HTTP/2 library, when a GOAWAY comes while the call is queued. Such
 * a call may always be sent again (gRFC A6); grpc-js does so once, and a server that is replaced twice refuses twice.
 */
const NOT_SEEN = /REFUSED_STREAM/u;
/** More refusals of one call than these are no race. */
const SENDS_OF_UNSEEN = 5;

/** A real grpc-js client of one agent, which sends again what was refused unseen: whoever delivers it twice is found by the books. */
export class GrpcClient {
  readonly #client: grpc.Client;

  constructor(port: number, options: grpc.ClientOptions = {}) {
    this.#client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.max_send_message_length': -1,
      ...options,
    });
  }

  export(signal: Signal, body: Buffer, options: CallOptions = {}): Promise<Buffer> {
    return this.call(SIGNAL_FACTS[signal].grpcPath, body, options);
  }

  async call(path: string, body: Buffer, options: CallOptions = {}): Promise<Buffer> {
    for (let sends = 1; ; sends += 1) {
      try {
        return await this.#send(path, body, options);
      } catch (error) {
        if (sends === SENDS_OF_UNSEEN || !NOT_SEEN.test(String(error))) throw error;
      }
    }
  }

  #send(path: string, body: Buffer, { signal, ...options }: CallOptions): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(path, raw, raw, body, new grpc.Metadata(), options, (error, response) => {
        if (error !== null) reject(error);
        else resolve(response as Buffer);
      });
      signal?.addEventListener('abort', () => call.cancel());
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Resolves when `done` says so, looking again on every turn of the loop; the test's own timeout is the limit. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Posts to an agent's OTLP/HTTP port. */
export function post(port: number, path: string, body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    body: body as RequestInit['body'],
    headers: { 'content-type': 'application/x-protobuf', ...headers },
  });
}

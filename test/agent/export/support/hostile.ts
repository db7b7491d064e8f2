import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ExporterSettings } from '../../../../agent/config/settings.ts';
import { finish, post, startAgent, until } from '../../kit/agent.ts';
import { decode, encode } from '../../kit/otlp.ts';
import { PATHS } from '../../kit/settings.ts';
import { randomOf } from '../../support/mutations.ts';

/** What a next hop knows of each span: whether it was taken for good, and what is wrong. */
export class Ledger {
  readonly taken = new Map<string, number>();
  readonly wrong: string[] = [];

  /** A whole request has come. */
  came(names: readonly string[]): void {
    for (const name of names) if (this.taken.has(name)) this.wrong.push(`${name} came again after it was taken`);
  }

  /** Its answer is success, and on its way: nothing that is done to the connection afterwards may take it back. */
  take(names: readonly string[]): void {
    for (const name of names) this.taken.set(name, (this.taken.get(name) ?? 0) + 1);
  }
}

interface Span {
  readonly name: string;
  readonly traceState?: string;
}

/** Names of the spans in a request; throws where one of them is not as it was sent: its memory was used again too early. */
export function namesOf(request: Uint8Array): string[] {
  const { resourceSpans } = decode('traces', request) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  for (const { name, traceState = '' } of spans)
    if (traceState !== filling(name, traceState.length)) throw new Error(`${name} is not as it was sent`);
  return spans.map(({ name }) => name);
}

const filling = (name: string, bytes: number): string => `${name},`.repeat(bytes / name.length).slice(0, bytes);

const spanOf = (name: string, bytes: number): Buffer =>
  encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name, traceState: filling(name, bytes) }] }] }] });

/** One connection of a hostile server. */
export interface HostileConnection {
  /** From now on all may come. */
  calm: boolean;
}

export type Accept = (socket: Socket, random: () => number, ledger: Ledger) => HostileConnection;

const SPANS = 40;
const HOSTILE_MS = 300;

/** Sends spans of all sizes by one exporter to a server that is hostile for a while, and looks into its ledger. */
export async function deliverTo(accept: Accept, seed: number, exporter: (port: number) => ExporterSettings): Promise<void> {
  const random = randomOf(seed);
  const ledger = new Ledger();
  const connections: HostileConnection[] = [];
  let calm = false;
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    const one = accept(socket, random, ledger);
    one.calm = calm;
    connections.push(one);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running = await startAgent({ exporters: [exporter((server.address() as AddressInfo).port)] });
  try {
    const answers: Promise<Response>[] = [];
    for (let i = 0; i < SPANS; i += 1) {
      // Over HTTP, so that bodies lie in memory that is used again.
      answers.push(post(running.httpPort, PATHS.traces, spanOf(`s${i}`, Math.floor(random() ** 4 * 300_000))));
      if (random() < 0.3) await sleep(Math.floor(random() * 10));
    }
    for (const answer of answers) expect((await answer).status).toBe(200);
    await sleep(HOSTILE_MS);
    calm = true;
    for (const one of connections) one.calm = true;
    await until(() => running.agent.books().total.queued === 0 || ledger.wrong.length > 0);
    expect(ledger.wrong).toEqual([]);
    expect([...ledger.taken].filter(([, times]) => times !== 1)).toEqual([]);
    expect(ledger.taken.size).toBe(SPANS);
    expect((await finish(running)).total).toMatchObject({ sent: SPANS, sendFailed: 0, evicted: 0 });
  } finally {
    await running.agent.close();
    server.close();
  }
}

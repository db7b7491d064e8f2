import { vi } from 'vitest';
import type { Signal } from '../../../agent/config/settings.ts';
import { GrpcChannel } from '../../../agent/export/grpc-channel.ts';
import type { Received } from '../kit/sink.ts';

/** A request that is sent again has the same bytes. */
export const keyOf = (signal: Signal, body: Buffer): string => `${signal} ${body.toString('base64')}`;

/** How the attempts of one request ended for the exporter. */
class Attempts {
  /** With success. */
  ok = 0;
  /** With another answer. */
  refused = 0;
  /** It had been sent, and no answer came: in time, or before the connection ended. */
  unheard = 0;
  /** Begun after an answer that was the last word. */
  needless = 0;
  told = false;
}

/** Looks at every attempt of the agent's gRPC exporters in this process, from outside of them: what they do is not changed. */
export class AttemptWatch {
  readonly #attempts = new Map<string, Attempts>();
  readonly #spy;

  constructor() {
    const { send } = GrpcChannel.prototype;
    const begun = (signal: Signal, slices: readonly Uint8Array[]): Attempts => this.#begun(keyOf(signal, Buffer.concat(slices)));
    this.#spy = vi.spyOn(GrpcChannel.prototype, 'send').mockImplementation(function (this: GrpcChannel, body, done) {
      const seen = begun(body.signal, body.slices);
      send.call(this, body, (outcome, fate) => {
        if (fate === 'silent' || fate === 'broken') seen.unheard += 1;
        else if (fate === 'answered') seen[outcome.kind === 'ok' ? 'ok' : 'refused'] += 1;
        if (outcome.kind !== 'retry') seen.told = true;
        done(outcome, fate);
      });
    });
  }

  /** Attempts that ended without an answer. */
  get unheard(): number {
    return [...this.#attempts.values()].reduce((total, one) => total + one.unheard, 0);
  }

  /**
   * Requests that came to the next hop, or were taken by it, more often than the attempts explain that were answered or ended unheard: so a
   * request was taken again only where at least as many of its own attempts ended unheard. `asked`: how often each came, by its key.
   */
  unexplained(asked: ReadonlyMap<string, number>, taken: readonly Received[]): string[] {
    const times = new Map<string, number>();
    for (const { signal, body } of taken) times.set(keyOf(signal, body), (times.get(keyOf(signal, body)) ?? 0) + 1);
    const wrong: string[] = [];
    for (const key of new Set([...this.#attempts.keys(), ...asked.keys()])) {
      const { ok, refused, unheard, needless } = this.#attempts.get(key) ?? new Attempts();
      const [came, took] = [asked.get(key) ?? 0, times.get(key) ?? 0];
      if (ok <= 1 && needless === 0 && took >= ok && took <= ok + unheard && came <= ok + refused + unheard) continue;
      wrong.push(
        `came ${came} times, taken ${took}; attempts: ${ok} ok, ${refused} refused, ${unheard} unheard, ${needless} needless: ${key}`,
      );
    }
    return wrong;
  }

  clear(): void {
    this.#attempts.clear();
  }

  stop(): void {
    this.#spy.mockRestore();
  }

  #begun(key: string): Attempts {
    const seen = this.#attempts.get(key) ?? new Attempts();
    this.#attempts.set(key, seen);
    if (seen.told) seen.needless += 1;
    return seen;
  }
}

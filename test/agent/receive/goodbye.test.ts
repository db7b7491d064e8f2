import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerSession } from '../../../agent/http2/server.ts';
import { SessionGuard } from '../../../agent/receive/grpc-session.ts';
import { KEEPALIVE } from '../kit/settings.ts';

const EVERY_STREAM = 2 ** 31 - 1;

/** A session that writes down what it is told. */
class Script implements ServerSession {
  open = 0;
  closing = false;
  destroyed = false;
  readonly said: string[] = [];
  readonly #pings: (() => void)[] = [];

  sweep(): void {}

  ping(answered: () => void): boolean {
    this.said.push('ping');
    this.#pings.push(answered);
    return true;
  }

  answerPing(): void {
    this.#pings.shift()?.();
  }

  goaway(code: number, lastStream: number): void {
    this.said.push(`goaway ${code} ${lastStream === EVERY_STREAM ? 'every' : lastStream}`);
  }

  close(): void {
    this.closing = true;
    this.said.push('close');
  }

  destroy(): void {
    this.destroyed = true;
    this.said.push('destroy');
  }
}

/** Timers, and what they leave to the next turn of the loop (runtime/once-read.ts). */
async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await turn();
}

const KEEPS: typeof KEEPALIVE = { ...KEEPALIVE, timeMs: 0 };

describe('the goodbye of a connection', () => {
  let session: Script;
  let guard: SessionGuard;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
    session = new Script();
    guard = new SessionGuard(session, KEEPS, 0, () => undefined);
  });
  afterEach(() => {
    guard.closed();
    vi.useRealTimers();
  });

  /** A call begins, as a receiver tells it. */
  const call = (): void => {
    session.open += 1;
    guard.streamOpened();
  };

  it('is said at once while a call is open, in three steps', async () => {
    guard.ready();
    call();
    guard.goodbye();
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
    session.answerPing();
    expect(session.said).toEqual(['goaway 0 every', 'ping', 'ping']);
    session.answerPing();
    expect(session.said).toEqual(['goaway 0 every', 'ping', 'ping', 'close']);
  });

  it('waits a second for the next call, and is said as that begins', async () => {
    guard.ready();
    guard.goodbye();
    await pass(999);
    expect(session.said).toEqual([]);
    call();
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
    call();
    await pass(500);
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
  });

  it('is said after a second without a call, and a client that answers no ping has another one', async () => {
    guard.ready();
    guard.goodbye();
    await pass(1000);
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
    await pass(1000);
    expect(session.said).toEqual(['goaway 0 every', 'ping', 'close']);
  });

  it('is not said to a client that has not spoken: it has a second from its SETTINGS on', async () => {
    guard.goodbye();
    await pass(60_000);
    expect(session.said).toEqual([]);
    guard.ready();
    await pass(999);
    expect(session.said).toEqual([]);
    await pass(1);
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
  });

  it('is said once, however often it is asked for', async () => {
    guard.ready();
    guard.goodbye();
    guard.goodbye();
    call();
    guard.goodbye();
    call();
    await pass(999);
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
  });

  it('counts the grace of an aged connection from the goodbye on', async () => {
    guard.ready();
    guard.goodbye(300);
    await pass(999);
    call();
    session.answerPing();
    session.answerPing();
    await pass(299);
    expect(session.destroyed).toBe(false);
    await pass(1);
    expect(session.destroyed).toBe(true);
  });

  it('asks a client that has not spoken within its handshake no more', async () => {
    const faults: string[] = [];
    guard.closed();
    guard = new SessionGuard(session, KEEPS, 5000, (fault) => faults.push(fault));
    guard.goodbye();
    await pass(5000);
    expect([faults, session.said]).toEqual([['handshake_timeout'], ['destroy']]);
  });
});

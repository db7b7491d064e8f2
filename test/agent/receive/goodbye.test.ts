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

const KEEPS: typeof KEEPALIVE = { ...KEEPALIVE, timeMs: 0 };

describe('the goodbye of a connection', () => {
  let session: Script;
  let guard: SessionGuard;
  beforeEach(() => {
    vi.useFakeTimers();
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

  it('is said at once while a call is open, in three steps', () => {
    guard.ready();
    call();
    guard.goodbye();
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
    session.answerPing();
    expect(session.said).toEqual(['goaway 0 every', 'ping', 'ping']);
    session.answerPing();
    expect(session.said).toEqual(['goaway 0 every', 'ping', 'ping', 'close']);
  });

  it('waits a second for the next call, and is said as that begins', () => {
    guard.ready();
    guard.goodbye();
    vi.advanceTimersByTime(999);
    expect(session.said).toEqual([]);
    call();
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
    call();
    vi.advanceTimersByTime(500);
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
  });

  it('is said after a second without a call, and a client that answers no ping has another one', () => {
    guard.ready();
    guard.goodbye();
    vi.advanceTimersByTime(1000);
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
    vi.advanceTimersByTime(1000);
    expect(session.said).toEqual(['goaway 0 every', 'ping', 'close']);
  });

  it('is not said to a client that has not spoken: it has a second from its SETTINGS on', () => {
    guard.goodbye();
    vi.advanceTimersByTime(60_000);
    expect(session.said).toEqual([]);
    guard.ready();
    vi.advanceTimersByTime(999);
    expect(session.said).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
  });

  it('is said once, however often it is asked for', () => {
    guard.ready();
    guard.goodbye();
    guard.goodbye();
    call();
    guard.goodbye();
    call();
    vi.advanceTimersByTime(999);
    expect(session.said).toEqual(['goaway 0 every', 'ping']);
  });

  it('counts the grace of an aged connection from the goodbye on', () => {
    guard.ready();
    guard.goodbye(300);
    vi.advanceTimersByTime(999);
    call();
    session.answerPing();
    session.answerPing();
    vi.advanceTimersByTime(299);
    expect(session.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(session.destroyed).toBe(true);
  });

  it('asks a client that has not spoken within its handshake no more', () => {
    const faults: string[] = [];
    guard.closed();
    guard = new SessionGuard(session, KEEPS, 5000, (fault) => faults.push(fault));
    guard.goodbye();
    vi.advanceTimersByTime(5000);
    vi.advanceTimersToNextTimer(); // when the sockets of that turn have been read
    expect([faults, session.said]).toEqual([['handshake_timeout'], ['destroy']]);
  });
});

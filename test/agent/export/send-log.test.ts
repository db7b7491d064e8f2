import { afterEach, expect, it, vi } from 'vitest';
import { SendLog } from '../../../agent/export/send-log.ts';
import { OK } from '../../../agent/runtime/outcome.ts';
import { type LogLine, recordingLog } from '../kit/agent.ts';
import { retryLater } from './support/scripted.ts';

afterEach(() => {
  vi.useRealTimers();
});

const FAILS = 'sending fails and is tried again';
const WORKS = 'sending works again';

it('a next hop that takes one request and not the next is said to fail every ten seconds, and each time that it works again', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const lines: LogLine[] = [];
  const log = new SendLog(recordingLog(lines), 'otlp_grpc', 'traces');
  const said = (): string[] => lines.splice(0).map(({ event }) => event);
  for (let i = 0; i < 100; i += 1) {
    log.attempted(retryLater());
    log.attempted(OK);
    vi.advanceTimersByTime(50);
  }
  expect(said()).toEqual([FAILS, WORKS]);
  vi.advanceTimersByTime(5000);
  log.attempted(retryLater());
  log.attempted(retryLater());
  expect(said()).toEqual([FAILS]);
  vi.advanceTimersByTime(60_000);
  log.attempted(retryLater());
  expect(said()).toEqual([]);
  log.attempted(OK);
  log.attempted(OK);
  expect(said()).toEqual([WORKS]);
});

it('one that began to fail when nothing was said is said to fail as soon as that may be', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const lines: LogLine[] = [];
  const log = new SendLog(recordingLog(lines), 'otlp_grpc', 'traces');
  log.attempted(retryLater());
  log.attempted(OK);
  for (let i = 0; i < 11; i += 1) {
    vi.advanceTimersByTime(1000);
    log.attempted(retryLater());
  }
  expect(lines.map(({ event }) => event)).toEqual([FAILS, WORKS, FAILS]);
});

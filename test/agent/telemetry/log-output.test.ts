import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog, type Log } from '../../../agent/telemetry/log.ts';
import { logOutput } from '../../../agent/telemetry/log-output.ts';

describe('logOutput', () => {
  it('keeps no more lines than its limit for a reader that does not read, and says afterwards how many are lost', async () => {
    let held: (() => void)[] = [];
    let read = 0;
    const stream = new Writable({
      write: (_line, _encoding, done) => {
        read += 1;
        held.push(done);
      },
      highWaterMark: 1,
    });
    const { promise: told, resolve } = Promise.withResolvers<number>();
    const write = logOutput(stream, resolve);
    const line = `${'x'.repeat(1023)}\n`;
    for (let i = 0; i < 10_000; i += 1) write(line);
    expect(stream.writableLength).toBeLessThanOrEqual(1024 * 1024 + 2 * line.length);
    while (held.length > 0) {
      const now = held;
      held = [];
      for (const done of now) done();
      await new Promise((next) => setImmediate(next));
    }
    write(line);
    for (const done of held) done();
    expect(await told).toBe(10_000 - (read - 1));
  });

  it('fails no write where the stream does: what is lost is said when a line gets through', async () => {
    const lines: string[] = [];
    let full = true;
    const stream = new Writable({
      write: (line, _encoding, done) => {
        if (!full) lines.push(String(line));
        done(full ? new Error('ENOSPC') : null);
      },
      // As node has it for stdout: no error ends it.
      destroy(this: Writable & { _undestroy?: () => void }, error, done) {
        done(error);
        this._undestroy?.();
      },
    });
    const log: Log = createLog(
      { level: 'info', encoding: 'console' },
      logOutput(stream, (lost) => log.warn('lost', { lost })),
    );
    log.info('one');
    log.info('two');
    await new Promise((next) => setImmediate(next));
    full = false;
    log.info('three');
    await new Promise((next) => setImmediate(next));
    expect(lines.map((line) => line.split('\t').slice(2).join(' ').trim())).toEqual(['three', 'lost {"lost":2}']);
  });
});

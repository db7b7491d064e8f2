import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exclusively } from '../../scripts/tools/exclusive.mjs';
import { scratch } from './scratch.ts';

const lockOf = (subject: string): string =>
  join(tmpdir(), `otlp-stack-${createHash('sha256').update(subject).digest('hex').slice(0, 16)}.lock`);

it('lets the second wait until the first has ended, and says for whom it waits', async () => {
  const subject = scratch({});
  const order: string[] = [];
  const waiting = Promise.withResolvers<number>();
  const first = exclusively(
    subject,
    async () => {
      order.push(`waited for by somebody: ${(await waiting.promise) === process.pid}`, 'first');
    },
    () => {},
  );
  const second = exclusively(subject, async () => order.push('second'), waiting.resolve);
  await Promise.all([first, second]);
  expect(order).toEqual(['waited for by somebody: true', 'first', 'second']);
  expect(existsSync(lockOf(subject))).toBe(false);
});

it('takes over from a process that is gone, and gives the lock back when the work fails', async () => {
  const subject = scratch({});
  const { pid } = spawnSync(process.execPath, ['--version']);
  writeFileSync(lockOf(subject), `${pid}`);
  const work = exclusively(
    subject,
    () => Promise.reject(new Error('no network')),
    () => {},
  );
  await expect(work).rejects.toThrow('no network');
  expect(existsSync(lockOf(subject))).toBe(false);
});

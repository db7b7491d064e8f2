/** One at a time over processes: `npm start` in one terminal and `npm test` in another must not both empty node_modules. Plain Node 20. */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const LOOK_AGAIN_MS = 500;

/** Runs `work` while no other process does so for the same `subject`; a lock whose owner is gone is taken over. */
export async function exclusively(subject, work, onWait) {
  const path = join(tmpdir(), `otlp-stack-${createHash('sha256').update(subject).digest('hex').slice(0, 16)}.lock`);
  for (let waited = false; !take(path); waited = true) {
    const owner = ownerOf(path);
    if (!alive(owner)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!waited) onWait(owner);
    await wait(LOOK_AGAIN_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path) {
  try {
    writeFileSync(path, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

/** NaN where the lock has just gone or its owner has not signed yet: nobody's for the next look. */
function ownerOf(path) {
  try {
    return Number(readFileSync(path, 'utf8') || Number.NaN);
  } catch {
    return Number.NaN;
  }
}

function alive(pid) {
  if (Number.isNaN(pid)) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

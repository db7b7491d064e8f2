import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { FileRotationSettings } from './file-config.ts';

/** `traces-2026-01-31T10-00-00.000-size.json`; timberjack's names, a millisecond later where that one is taken. */
export async function freeName(path: string, localTime: boolean): Promise<string> {
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  for (let time = Date.now(); ; time += 1) {
    const name = `${stem}-${stamp(new Date(time), localTime)}-size${extension}`;
    if (!(await exists(name))) return name;
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function stamp(date: Date, localTime: boolean): string {
  const shown = localTime ? new Date(date.getTime() - date.getTimezoneOffset() * 60_000) : date;
  return shown.toISOString().slice(0, -1).replaceAll(':', '-');
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Removes rotated files that are too many or too old. */
export async function prune(path: string, { maxBackups, maxDays, localTime }: FileRotationSettings, now: number): Promise<void> {
  if (maxBackups === 0 && maxDays === 0) return;
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  const suffix = `-size${extension}`;
  const backups: { readonly name: string; readonly time: string }[] = [];
  for (const name of await readdir(dirname(path))) {
    const time = name.slice(prefix.length, name.length - suffix.length);
    if (name.startsWith(prefix) && name.endsWith(suffix) && /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/u.test(time))
      backups.push({ name, time });
  }
  backups.sort((a, b) => (a.time < b.time ? 1 : -1));
  const oldest = stamp(new Date(now - maxDays * DAY_MS), localTime);
  for (const [index, { name, time }] of backups.entries()) {
    if ((maxBackups > 0 && index >= maxBackups) || (maxDays > 0 && time < oldest)) await rm(join(dirname(path), name), { force: true });
  }
}

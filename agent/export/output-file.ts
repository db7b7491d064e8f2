import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { freeName, prune } from './file-backups.ts';
import type { FileRotationSettings } from './file-config.ts';

/** A path that cannot be written to, found at start; `key` is the configuration path that names it. */
export class OutputFileError extends Error {
  readonly code = 'OTLP_FILE';
  readonly key: string;

  constructor(key: string, path: string, cause: NodeJS.ErrnoException) {
    super(`${key}: cannot write to ${path}: ${reason(cause)}`, { cause });
    this.key = key;
  }
}

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return 'its folder is not there; make it, or set create_directory: true (ENOENT)';
    case 'EACCES':
      return 'not permitted; give the agent write access to file and folder (EACCES)';
    case 'EISDIR':
      return 'it is a folder; name a file (EISDIR)';
    default:
      return error.message;
  }
}

export interface OpenOptions {
  /** For messages: `exporters.file.path`. */
  readonly key: string;
  /** Empties the file, unless somebody in this process has it open. */
  readonly truncate: boolean;
  /** Makes the folder with this mode. */
  readonly directoryMode: number | undefined;
  readonly fileMode: number;
  /** For what goes wrong without a record being lost. */
  readonly warn: (event: string, fields: object) => void;
}

interface Waiting {
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
  readonly rotation: FileRotationSettings | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** writev takes 1024 buffers at a time on Linux; more would be several calls anyway. */
const MAX_SLICES = 1024;

/**
 * The files that are open, by path: what several signals, two agents in one process, or the old and the new line of a reload write goes
 * through one queue, so that records stay whole and nobody renames the file under somebody else. A path is one thing for the whole
 * process, whatever this map does.
 */
const OPEN = new Map<string, OutputFile>();

/**
 * A file that records are appended to. What comes while a write is under way goes out together with the next one.
 *
 *   write(a)            -> writev(a)
 *   write(b), write(c)      ... waiting ...   -> writev(b, c)
 *
 * After a failed write (a full disk) the file is cut back to where it ended before: it holds whole records only, and the writers hear of it.
 */
export class OutputFile {
  readonly #path: string;
  readonly #options: OpenOptions;
  readonly #waiting: Waiting[] = [];
  #handle: FileHandle | undefined;
  #size = 0;
  /** Bytes at the end that belong to no whole record and could not be cut off yet. */
  #torn = 0;
  #holders = 0;
  #opened: Promise<void> | undefined;
  #running: Promise<void> | undefined;

  /** Use OutputFile.open(). */
  private constructor(path: string, options: OpenOptions) {
    this.#path = path;
    this.#options = options;
  }

  static async open(path: string, options: OpenOptions): Promise<OutputFile> {
    const absolute = resolve(path);
    const file = OPEN.get(absolute) ?? new OutputFile(absolute, options);
    OPEN.set(absolute, file);
    file.#holders += 1;
    try {
      file.#opened ??= file.#begin();
      await file.#opened;
    } catch (error) {
      OPEN.delete(absolute);
      throw new OutputFileError(options.key, path, error as NodeJS.ErrnoException);
    }
    return file;
  }

  /** Resolves when all of the record is in the file, rejects when none of it is. */
  write(slices: readonly Uint8Array[], bytes: number, rotation: FileRotationSettings | undefined): Promise<void> {
    const { promise, resolve: done, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ slices, bytes, rotation, resolve: done, reject });
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return promise;
  }

  /** Closes the file when the last holder does. */
  async close(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    if (OPEN.get(this.#path) === this) OPEN.delete(this.#path);
    await this.#running;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #begin(): Promise<void> {
    const { directoryMode, truncate } = this.#options;
    if (directoryMode !== undefined) await mkdir(dirname(this.#path), { recursive: true, mode: directoryMode });
    await this.#open();
    if (!truncate || this.#size === 0) return;
    await this.#handle?.truncate(0);
    this.#size = 0;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0] as Waiting;
      const group: Waiting[] = [];
      try {
        await this.#ready(first);
        this.#takeGroup(group);
        await this.#append(group);
        for (const one of group) one.resolve();
      } catch (error) {
        // Before the group was taken it is the first alone that could not be written.
        const failed = group.length > 0 ? group : this.#waiting.splice(0, 1);
        for (const one of failed) one.reject(error as Error);
      }
    }
  }

  /** An open file without torn bytes and with room for the next record. */
  async #ready(next: Waiting): Promise<void> {
    if (this.#handle === undefined) await this.#open();
    if (this.#torn > 0) await this.#cut();
    if (next.rotation !== undefined && this.#size > 0 && this.#size + next.bytes > next.rotation.maxBytes)
      await this.#rotate(next.rotation);
  }

  /** As many records as fit into one call and one file. */
  #takeGroup(group: Waiting[]): void {
    let bytes = 0;
    let slices = 0;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const over = next.rotation !== undefined && this.#size + bytes + next.bytes > next.rotation.maxBytes;
      if (group.length > 0 && (over || slices + next.slices.length > MAX_SLICES)) return;
      group.push(next);
      this.#waiting.shift();
      bytes += next.bytes;
      slices += next.slices.length;
    }
  }

  async #append(group: readonly Waiting[]): Promise<void> {
    const handle = this.#handle as FileHandle;
    let left: Uint8Array[] = group.flatMap((one) => one.slices);
    let written = 0;
    try {
      while (left.length > 0) {
        const { bytesWritten } = await handle.writev(left.slice(0, MAX_SLICES));
        // Nothing written and no error: a device that takes no more.
        if (bytesWritten === 0) throw Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' });
        written += bytesWritten;
        left = behind(left, bytesWritten);
      }
    } catch (error) {
      this.#torn = written;
      if (written > 0) await this.#cut().catch(() => undefined); // tried again before the next write
      throw error;
    }
    this.#size += written;
  }

  /** Takes the part of a record that did get in back out. The size is asked for, as somebody else may have cut the file. */
  async #cut(): Promise<void> {
    const handle = this.#handle as FileHandle;
    const { size } = await handle.stat();
    await handle.truncate(Math.max(0, size - this.#torn));
    this.#torn = 0;
  }

  async #open(): Promise<void> {
    const handle = await open(this.#path, 'a', this.#options.fileMode);
    this.#handle = handle;
    this.#size = (await handle.stat()).size;
  }

  /** Where the file cannot be renamed it goes on growing: too large is better than lost. */
  async #rotate(rotation: FileRotationSettings): Promise<void> {
    const backup = await freeName(this.#path, rotation.localTime);
    try {
      await rename(this.#path, backup);
    } catch (error) {
      this.#options.warn('file was not rotated', { path: this.#path, error: (error as Error).message });
      return;
    }
    await this.#handle?.close();
    this.#handle = undefined;
    await this.#open();
    await prune(this.#path, rotation, Date.now()).catch((error: Error) => {
      this.#options.warn('old files were not removed', { path: this.#path, error: error.message });
    });
  }
}

/** The slices without their first `bytes` bytes. */
function behind(slices: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  const left: Uint8Array[] = [];
  for (const slice of slices) {
    if (skip >= slice.length) skip -= slice.length;
    else {
      left.push(skip === 0 ? slice : slice.subarray(skip));
      skip = 0;
    }
  }
  return left;
}

import { readFile, stat } from 'node:fs/promises';

/**
 * Looks at files for a change of what is in them, by asking: inotify hears nothing of a ConfigMap's `..data` symlink being swapped in the
 * folder above, nor of network file systems. A stat for each file; only where that differs is the file read. A change counts when two looks
 * in a row see the same, so that a file that is being written is not taken half.
 */
export class FileWatch {
  readonly #onChange: () => void;
  #states: Map<string, FileState>;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #pending = false;
  #intervalMs = 0;
  #closed = false;

  /** `files` with the texts that are in use; undefined for those that could not be read. */
  constructor(files: ReadonlyMap<string, string | undefined>, intervalMs: number, onChange: () => void) {
    this.#onChange = onChange;
    this.#states = statesOf(files);
    this.every(intervalMs);
  }

  /** How often; 0 is never. */
  every(intervalMs: number): void {
    if (intervalMs === this.#intervalMs || this.#closed) return;
    this.#intervalMs = intervalMs;
    clearInterval(this.#timer);
    if (intervalMs > 0) this.#timer = setInterval(() => this.#tick(), intervalMs).unref();
  }

  /** Other files, or other texts in use, from now on. */
  look(files: ReadonlyMap<string, string | undefined>): void {
    this.#looking = this.#looking.then(() => {
      this.#states = statesOf(files);
      this.#pending = false;
    });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#looking = this.#looking.then(() => this.#compare());
  }

  async #compare(): Promise<void> {
    let changed = false;
    let moving = false;
    for (const [path, before] of this.#states) {
      const now = await stateOf(path, before);
      if (now.stamp !== before.stamp) moving = true;
      if (now.text !== before.text) changed = true;
      this.#states.set(path, now);
    }
    this.#pending ||= changed;
    if (!this.#pending || moving || this.#closed) return;
    this.#pending = false;
    this.#onChange();
  }
}

interface FileState {
  /** Of the file that the path leads to, through symlinks; empty where there is none, or it was not looked at yet. */
  readonly stamp: string;
  readonly text: string;
}

function statesOf(files: ReadonlyMap<string, string | undefined>): Map<string, FileState> {
  return new Map([...files].map(([path, text]) => [path, { stamp: '', text: text ?? '' }]));
}

async function stateOf(path: string, before: FileState): Promise<FileState> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
    const stamp = `${dev}:${ino}:${size}:${mtimeNs}`;
    return stamp === before.stamp ? before : { stamp, text: await readFile(path, 'utf8') };
  } catch {
    return { stamp: '', text: '' };
  }
}

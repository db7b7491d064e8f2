import type { Writable } from 'node:stream';

/** Of lines that nobody has read yet: some ten thousand. A pipe has 64 KiB of its own before that. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Streams whose errors are taken care of. */
const watched = new WeakSet<Writable>();

/**
 * Writes lines of the log, as long as there is somebody to write to. The process holds requests that their senders were told are safe, so
 * nothing that happens to its log may end it or make it grow:
 *
 *   reader gone (EPIPE), disk full (ENOSPC)    the line is lost, the next one is tried
 *   reader that does not read                  lines wait up to a limit, those above are lost
 *
 * `onLost` is told how many, when a line has got through again.
 */
export function logOutput(stream: Writable, onLost: (lines: number) => void): (line: string) => void {
  let lost = 0;
  if (!watched.has(stream)) {
    watched.add(stream);
    stream.on('error', () => {}); // counted where it is written
  }
  const written = (error: Error | null | undefined): void => {
    if (error) lost += 1;
    else if (lost > 0 && stream.writableLength === 0) {
      const lines = lost;
      lost = 0;
      onLost(lines);
    }
  };
  return (line) => {
    if (stream.writableLength > MAX_WAITING_BYTES) lost += 1;
    else stream.write(line, written);
  };
}

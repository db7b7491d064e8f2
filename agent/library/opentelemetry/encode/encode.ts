import { ProtoWriter } from './writer.ts';

/** A batch of 512 spans takes about 180 kB: written once into the kept buffer, and copied once to its size. */
const FIRST_BYTES = 64 * 1024;
/** A buffer that a large batch has made larger is let go. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** One for all exporters of the process: writing is synchronous. */
let kept: ProtoWriter | undefined;

/**
 * What `write` writes, in a buffer of just its size: it is held until it is delivered, and what is accounted is its length.
 *
 * @throws what `write` throws
 */
export function encode<T>(write: (writer: ProtoWriter, items: T) => void, items: T): Buffer {
  const writer = kept ?? new ProtoWriter(FIRST_BYTES);
  // Getters of the items run in here, and may log, which may be exported: that writes into a buffer of its own.
  kept = undefined;
  try {
    writer.pos = 0;
    write(writer, items);
    return writer.take();
  } finally {
    if (writer.size <= MAX_KEPT_BYTES) kept = writer;
  }
}

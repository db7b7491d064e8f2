import type { BatchSettings, Sizer } from '../config/settings.ts';
import { splitRequest } from '../otlp/split.ts';
import type { MemoryQueue } from '../queue/memory-queue.ts';
import type { Chunk } from '../runtime/chunk.ts';

/** Chunks of other partitions that a batch looks past: a bound for the time that one batch takes. */
const MAX_SKIPPED = 1024;
/** A chunk of several requests is at most such a part of a batch, and of the queue: they are sent, and dropped, together. */
const SMALL_PART = 16;
const MOST_EXTENDED_BYTES = 64 * 1024;

/**
 * Takes the next batch from the front of a queue. Batching happens here, as the exporter takes, so that whatever a sender was told is
 * stored is in the queue and nowhere else.
 */
export class Batcher {
  readonly #settings: BatchSettings | undefined;
  readonly #mergeable: boolean;
  /** Pieces: what splitRequest left above the maximum is not to be cut a second time. */
  readonly #cut = new WeakSet<Chunk>();

  constructor(settings: BatchSettings | undefined, mergeable: boolean) {
    this.#settings = settings;
    this.#mergeable = mergeable;
  }

  /** Milliseconds until a batch is due: 0 is now, undefined where nothing waits. */
  dueIn(queue: MemoryQueue, now: number): number | undefined {
    const oldest = queue.peek();
    if (oldest === undefined) return undefined;
    const settings = this.#settings;
    if (settings === undefined || !this.#mergeable) return 0;
    if (this.isFull(queue)) return 0;
    return Math.max(0, oldest.receivedAt + settings.flushTimeoutMs - now);
  }

  /** Whether a batch is due whatever the time is. */
  isFull(queue: MemoryQueue): boolean {
    const settings = this.#settings;
    if (settings === undefined || !this.#mergeable || queue.parked > 0) return true;
    const waiting = settings.sizer === 'bytes' ? queue.waitingBytes : settings.sizer === 'items' ? queue.waitingItems : queue.length;
    return waiting >= settings.minSize;
  }

  /** Whether a chunk that becomes so large is still a small part of a batch, and of what the queue holds. */
  staysSmall(items: number, bytes: number, requests: number, capacity: number, sizer: Sizer): boolean {
    const settings = this.#settings;
    if (settings === undefined || !this.#mergeable || settings.sizer === 'requests' || bytes > MOST_EXTENDED_BYTES) return false;
    const size = settings.sizer === 'items' ? items : bytes;
    if (size * SMALL_PART > settings.minSize || (settings.maxSize > 0 && size * SMALL_PART > settings.maxSize)) return false;
    return (sizer === 'items' ? items : sizer === 'bytes' ? bytes : requests) * SMALL_PART <= capacity;
  }

  /** Whether a request of this size is never cut. */
  keepsWhole(items: number, bytes: number): boolean {
    const settings = this.#settings;
    if (settings === undefined || settings.maxSize === 0 || settings.sizer === 'requests') return true;
    return (settings.sizer === 'items' ? items : bytes) <= settings.maxSize;
  }

  /** At least one chunk where any waits; up to min_size, never above max_size unless, in bytes, a single item is. */
  take(queue: MemoryQueue): Chunk[] {
    const settings = this.#settings;
    const first = this.#takeOne(queue, settings);
    if (first === undefined) return [];
    const batch = [first];
    if (settings === undefined || !this.#mergeable) return batch;
    const partition = this.#partitionOf(first);
    const others: Chunk[] = [];
    let size = measure(settings, first);
    while (size < settings.minSize && others.length < MAX_SKIPPED) {
      const next = queue.peek();
      if (next === undefined) break;
      if (this.#partitionOf(next) !== partition) {
        queue.take();
        others.push(next);
        continue;
      }
      if (settings.maxSize > 0 && size + measure(settings, next) > settings.maxSize) break;
      queue.take();
      batch.push(next);
      size += measure(settings, next);
    }
    for (const other of others.reverse()) queue.putBack(other, [other]);
    return batch;
  }

  /** What a batch may not mix: the values of `partition.metadata_keys`, as one text; '' where nothing keeps batches apart. */
  #partitionOf({ metadata }: Chunk): string {
    const keys = this.#settings?.metadataKeys ?? [];
    return keys.length === 0 ? '' : JSON.stringify(keys.map((key) => metadata?.get(key) ?? []));
  }

  #takeOne(queue: MemoryQueue, settings: BatchSettings | undefined): Chunk | undefined {
    const first = queue.take();
    if (first === undefined || settings === undefined || settings.maxSize === 0 || settings.sizer === 'requests') return first;
    if (measure(settings, first) <= settings.maxSize || this.#cut.has(first)) return first;
    const pieces = splitRequest(first.signal, first.slices, settings.maxSize, settings.sizer);
    if (pieces.length === 1) return first;
    const chunks = first.split(pieces);
    for (const one of chunks) this.#cut.add(one);
    queue.putBack(first, chunks);
    return queue.take();
  }
}

function measure(settings: BatchSettings, chunk: Chunk): number {
  if (settings.sizer === 'requests') return 1;
  return settings.sizer === 'items' ? chunk.items : chunk.bytes;
}

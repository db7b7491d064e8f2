import { Duration, Size } from 'cdk8s';
import type { Extension } from './component';
import { printDuration } from './print';
import type { Spelling } from './spelling';

/** What the size of a queue or batch counts. */
export class QueueSizer {
  /** Export requests as they came in. */
  public static readonly REQUESTS = new QueueSizer('requests');
  /** Spans, data points, log records. */
  public static readonly ITEMS = new QueueSizer('items');
  /** Bytes as protobuf: the only one that memory can be proved with. */
  public static readonly BYTES = new QueueSizer('bytes');

  private constructor(public readonly name: string) {}
}

/** Merging of what waits in the queue. Takes the place of the `batch` processor. */
export interface QueueBatchProps {
  /**
   * What is there goes out after this time, however little it is.
   * @default Duration.millis(200)
   */
  readonly flushTimeout?: Duration;
  /**
   * A batch goes out as soon as it has this size.
   * @default 8192
   */
  readonly minSize?: number;
  /**
   * Larger requests are split; 0 never splits.
   * @default 0
   */
  readonly maxSize?: number;
  /**
   * What the sizes count: items or bytes.
   * @default QueueSizer.ITEMS
   */
  readonly sizer?: QueueSizer;
}

/** Keys of every `sending_queue`. */
export interface QueueProps {
  /**
   * Exports under way at once.
   * @default 10
   */
  readonly numConsumers?: number;
  /**
   * How much may wait, counted by `sizer`.
   * @default 1000
   */
  readonly queueSize?: number;
  /** @default QueueSizer.REQUESTS */
  readonly sizer?: QueueSizer;
  /**
   * A full queue makes the sender wait instead of refusing.
   * @default false
   */
  readonly blockOnOverflow?: boolean;
  /** @default - requests are exported as they came in */
  readonly batch?: QueueBatchProps;
}

/** Keys of a queue in memory. */
export interface MemoryQueueProps extends QueueProps {
  /**
   * The sender gets its answer when the data was delivered rather than when it was queued.
   * @default false
   */
  readonly waitForResult?: boolean;
}

/** Keys of a queue on disk. */
export interface DiskQueueProps extends QueueProps {
  /**
   * The `file_storage` extension that holds it.
   * @default - the one that the construct around it makes on its volume
   */
  readonly storage?: Extension;
  /**
   * The volume that the construct around it claims.
   * @default Size.gibibytes(10)
   */
  readonly volumeSize?: Size;
}

interface AllQueueProps extends MemoryQueueProps, DiskQueueProps {}

/** Where an exporter keeps what it could not deliver yet. */
export class Queue {
  /** In memory: lost with the process unless `waitForResult` leaves the data with the sender until it was delivered. */
  public static memory(props: MemoryQueueProps = {}): Queue {
    return new Queue(true, false, props);
  }

  /** On disk, through a `file_storage` extension; the Collector forbids `wait_for_result` there. */
  public static disk(props: DiskQueueProps = {}): Queue {
    return new Queue(true, true, props);
  }

  /** No queue: the sender waits for the export itself. */
  public static disabled(): Queue {
    return new Queue(false, false, {});
  }

  /** How long a request may wait for others to join it; zero without batching. */
  public readonly flushTimeout: Duration;
  /** Whether the sender waits for the delivery. */
  public readonly waitsForResult: boolean;
  /** The volume that a queue on disk wants. */
  public readonly volumeSize: Size;

  private constructor(
    /** Whether there is a queue at all. */
    public readonly enabled: boolean,
    /** Whether it outlives the process. */
    public readonly onDisk: boolean,
    private readonly props: AllQueueProps,
  ) {
    this.flushTimeout = props.batch ? (props.batch.flushTimeout ?? Duration.millis(200)) : Duration.millis(0);
    this.waitsForResult = !enabled || props.waitForResult === true;
    this.volumeSize = props.volumeSize ?? Size.gibibytes(10);
    positive('sending_queue.num_consumers', props.numConsumers);
    positive('sending_queue.queue_size', props.queueSize);
    if (props.batch) {
      checkBatch(props.batch, props);
    }
  }

  /** The same queue with the storage that a construct made for it. @internal */
  public _withStorage(storage: Extension): Queue {
    return new Queue(this.enabled, this.onDisk, { ...this.props, storage: this.props.storage ?? storage });
  }

  /** @internal */
  public _storage(): Extension | undefined {
    return this.props.storage;
  }

  /** The most bytes that it can hold, when it counts bytes. @internal */
  public _boundBytes(): number | undefined {
    return this.enabled && !this.onDisk && this.props.sizer === QueueSizer.BYTES ? (this.props.queueSize ?? 1000) : undefined;
  }

  /** @internal */
  public _render(place: string, spelling: Spelling): object {
    if (!this.enabled) {
      return { enabled: false };
    }
    const { storage, batch, sizer } = this.props;
    if (this.onDisk && !storage) {
      throw new Error(
        `${place}: a queue on disk needs a 'file_storage' extension: pass Queue.disk({ storage: new FileStorageExtension({ ... }) })`,
      );
    }
    return {
      enabled: true,
      num_consumers: this.props.numConsumers,
      queue_size: this.props.queueSize,
      sizer: sizer?.name,
      block_on_overflow: this.props.blockOnOverflow,
      wait_for_result: this.props.waitForResult,
      storage: storage?._id(spelling),
      batch: batch && {
        flush_timeout: printDuration(this.flushTimeout),
        min_size: batch.minSize,
        max_size: batch.maxSize,
        // Always printed: left out, it would be the queue's own, and 'requests' cannot be batched.
        sizer: (batch.sizer ?? QueueSizer.ITEMS).name,
      },
    };
  }
}

function positive(key: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
    throw new Error(`${key} must be a positive whole number, got ${value}`);
  }
}

function checkBatch(batch: QueueBatchProps, queue: QueueProps): void {
  const sizer = batch.sizer ?? QueueSizer.ITEMS;
  const minSize = batch.minSize ?? 8192;
  const maxSize = batch.maxSize ?? 0;
  if (sizer === QueueSizer.REQUESTS) {
    throw new Error(`sending_queue.batch.sizer 'requests' is not possible: count items or bytes`);
  }
  if (batch.flushTimeout && batch.flushTimeout.toMilliseconds() <= 0) {
    throw new Error(`sending_queue.batch.flush_timeout must be positive, got ${printDuration(batch.flushTimeout)}`);
  }
  if (!Number.isInteger(minSize) || minSize < 0 || !Number.isInteger(maxSize) || maxSize < 0) {
    throw new Error(`sending_queue.batch: 'min_size' (${minSize}) and 'max_size' (${maxSize}) must be whole numbers, 0 or more`);
  }
  if (maxSize > 0 && maxSize < minSize) {
    throw new Error(
      `sending_queue.batch: 'max_size' (${maxSize}) must not be below 'min_size' (${minSize}): raise the one or lower the other`,
    );
  }
  const queueSize = queue.queueSize ?? 1000;
  if ((queue.sizer ?? QueueSizer.REQUESTS) === sizer && minSize > queueSize) {
    throw new Error(
      `sending_queue: 'batch.min_size' (${minSize} ${sizer.name}) must not exceed 'queue_size' (${queueSize} ${sizer.name}): such a batch never fills`,
    );
  }
}

import { Size } from 'cdk8s';
import { checkRange } from './print';
import { MemoryLimiterProcessor } from './processors/memory-limiter';
import type { Queue } from './queue';

/** How a Collector's memory is divided, in percent of the container's limit. */
export interface CollectorMemoryProps {
  /**
   * `GOMEMLIMIT`: from here on Go collects garbage at any price.
   * @default 80
   */
  readonly goMemoryPercentage?: number;
  /**
   * The hard limit of the memory limiter.
   * @default 75
   */
  readonly limitPercentage?: number;
  /**
   * The soft limit lies this far below the hard one.
   * @default 15
   */
  readonly spikeLimitPercentage?: number;
}

/**
 * The limits of one Collector, each below the one before it: container > GOMEMLIMIT > hard > soft. With GOMEMLIMIT at the container's
 * limit, or the limiter above GOMEMLIMIT, the kernel kills the process before anything is refused.
 */
export class CollectorMemory {
  public readonly goMemoryLimit: Size;
  /** The hard limit: the memory limiter refuses and collects garbage. */
  public readonly limit: Size;
  public readonly spikeLimit: Size;

  constructor(
    /** Of the container. */
    public readonly containerLimit: Size,
    props: CollectorMemoryProps = {},
  ) {
    const { goMemoryPercentage = 80, limitPercentage = 75, spikeLimitPercentage = 15 } = props;
    checkRange('memory', 'goMemoryPercentage', goMemoryPercentage, 1, 99);
    checkRange('memory', 'spikeLimitPercentage', spikeLimitPercentage, 1, 99);
    if (limitPercentage >= goMemoryPercentage) {
      throw new Error(
        `memory: 'limitPercentage' (${limitPercentage} %) must be below 'goMemoryPercentage' (${goMemoryPercentage} %): the limiter has to refuse before Go runs against its limit`,
      );
    }
    if (spikeLimitPercentage >= limitPercentage) {
      throw new Error(
        `memory: 'spikeLimitPercentage' (${spikeLimitPercentage} %) must be below 'limitPercentage' (${limitPercentage} %): the soft limit is the difference`,
      );
    }
    this.goMemoryLimit = share(containerLimit, goMemoryPercentage);
    this.limit = share(containerLimit, limitPercentage);
    this.spikeLimit = share(containerLimit, spikeLimitPercentage);
  }

  /** Where refusing begins. */
  public get softLimit(): Size {
    return Size.mebibytes(this.limit.toMebibytes() - this.spikeLimit.toMebibytes());
  }

  /** As the environment variable wants it: `6553MiB`. */
  public get goMemLimit(): string {
    return `${this.goMemoryLimit.toMebibytes()}MiB`;
  }

  /** The processor that keeps these limits. */
  public limiter(): MemoryLimiterProcessor {
    return new MemoryLimiterProcessor({ limit: this.limit, spikeLimit: this.spikeLimit });
  }

  /** Throws unless queues that count bytes fit below the soft limit together, with half of it left for what is being worked on. */
  public checkQueues(place: string, queues: Queue[]): void {
    const queued = queues.reduce((sum, queue) => sum + (queue._boundBytes() ?? 0), 0);
    const room = (this.softLimit.toMebibytes() * 1024 * 1024) / 2;
    if (queued > room) {
      throw new Error(
        `${place}: the queues may hold ${mebibytes(queued)} MiB, half of the soft limit (${this.softLimit.toMebibytes()} MiB) is ${mebibytes(room)} MiB: ` +
          `shrink 'queueSize', or raise the container's limit (${this.containerLimit.toMebibytes()} MiB)`,
      );
    }
  }
}

function share(size: Size, percentage: number): Size {
  return Size.mebibytes(Math.floor((size.toMebibytes() * percentage) / 100));
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}

import { Size } from 'cdk8s';
import { checkRange } from '../collector/print';
import type { Queue } from '../collector/queue';

/** How the agent's memory is divided. */
export interface AgentMemoryProps {
  /**
   * The process with all telemetry that it holds (`limit_mib`). Telemetry lies outside of JavaScript's heap and is counted to the byte.
   * @default - half of the container's limit: 512 MiB of 1 GiB
   */
  readonly limit?: Size;
  /**
   * From this far below the limit new data is refused.
   * @default - a quarter of the limit
   */
  readonly spikeLimit?: Size;
  /**
   * What JavaScript's heap may grow to, in percent of the container's memory (`--max-old-space-size-percentage`).
   * @default 25
   */
  readonly heapPercentage?: number;
}

/** A Node 26 process with its HTTP/2 server before it holds any telemetry; the agent counts it into the limit, as it starts. */
const PROCESS_MEBIBYTES = 80;

/** Buffers of sockets and of compression, which nobody counts. */
const BUFFERS_MEBIBYTES = 32;

/** The limits of one agent: heap, process and telemetry fit into the container together. */
export class AgentMemory {
  public readonly limit: Size;
  public readonly spikeLimit: Size;
  public readonly heapPercentage: number;

  constructor(
    public readonly containerLimit: Size,
    props: AgentMemoryProps = {},
  ) {
    const container = containerLimit.toMebibytes();
    this.heapPercentage = props.heapPercentage ?? 25;
    checkRange('agent memory', 'heapPercentage', this.heapPercentage, 5, 90);
    const heap = Math.ceil((container * this.heapPercentage) / 100);
    this.limit = props.limit ?? Size.mebibytes(Math.floor(container / 2));
    this.spikeLimit = props.spikeLimit ?? Size.mebibytes(Math.floor(this.limit.toMebibytes() / 4));
    const sum = heap + this.limit.toMebibytes() + BUFFERS_MEBIBYTES;
    if (sum > container) {
      throw new Error(
        `agent memory: heap (${this.heapPercentage} %, ${heap} MiB), 'limit' (${this.limit.toMebibytes()} MiB) and buffers (${BUFFERS_MEBIBYTES} MiB) need ${sum} MiB, ` +
          `the container has ${container} MiB: lower 'limit' or 'heapPercentage', or raise the container's limit`,
      );
    }
    if (this.softLimit.toMebibytes() <= PROCESS_MEBIBYTES) {
      throw new Error(
        `agent memory: from ${this.softLimit.toMebibytes()} MiB on ('limit' ${this.limit.toMebibytes()} MiB less 'spikeLimit' ${this.spikeLimit.toMebibytes()} MiB) data is refused, ` +
          `and the process alone takes about ${PROCESS_MEBIBYTES} MiB: raise 'limit', or the container's limit (${container} MiB) to 256 MiB and more`,
      );
    }
  }

  /** Where refusing begins. */
  public get softLimit(): Size {
    return Size.mebibytes(this.limit.toMebibytes() - this.spikeLimit.toMebibytes());
  }

  /** For the environment variable `NODE_OPTIONS`. */
  public get nodeOptions(): string {
    return `--max-old-space-size-percentage=${this.heapPercentage}`;
  }

  /** Throws unless a queue that counts bytes fits below the soft limit beside the process: a larger one never fills, as data is refused before. */
  public checkQueue(place: string, queue: Queue): void {
    const queued = Math.ceil((queue._boundBytes() ?? 0) / (1024 * 1024));
    const room = this.softLimit.toMebibytes() - PROCESS_MEBIBYTES;
    if (queued > room) {
      throw new Error(
        `${place}: 'queueSize' (${queued} MiB) exceeds the ${room} MiB that the soft memory limit (${this.softLimit.toMebibytes()} MiB) leaves beside the process: shrink the queue or raise 'limit' (${this.limit.toMebibytes()} MiB)`,
      );
    }
  }
}

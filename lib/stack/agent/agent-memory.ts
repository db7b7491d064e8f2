import { Size } from 'cdk8s';
import { checkRange } from '../collector/print';
import type { Queue } from '../collector/queue';

/** How the agent's memory is divided. */
export interface AgentMemoryProps {
  /**
   * Telemetry held at most (`limit_mib`); it lies outside of JavaScript's heap and is counted to the byte.
   * @default - half of the container's limit (512 MiB of 1 GiB), less where heap and process leave less
   */
  readonly limit?: Size;
  /**
   * From this far below the limit new data is refused.
   * @default - a quarter of the limit
   */
  readonly spikeLimit?: Size;
  /**
   * JavaScript's heap, in percent of the container's memory (`--max-old-space-size-percentage`).
   * @default 25
   */
  readonly heapPercentage?: number;
}

/** A bare Node 26 process with its HTTP/2 server takes about 80 MiB beside heap and telemetry. */
const PROCESS_MEBIBYTES = 80;

/** The limits of one agent: heap, telemetry and the process itself fit into the container together. */
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
    // At least 16 MiB: anything less is refused below, with the sum.
    const left = Math.max(16, container - heap - PROCESS_MEBIBYTES);
    this.limit = props.limit ?? Size.mebibytes(Math.min(Math.floor(container / 2), left));
    this.spikeLimit = props.spikeLimit ?? Size.mebibytes(Math.floor(this.limit.toMebibytes() / 4));
    const sum = heap + this.limit.toMebibytes() + PROCESS_MEBIBYTES;
    if (sum > container) {
      throw new Error(
        `agent memory: heap (${this.heapPercentage} %, ${heap} MiB), telemetry ('limit' ${this.limit.toMebibytes()} MiB) and the process (${PROCESS_MEBIBYTES} MiB) need ${sum} MiB, ` +
          `the container has ${container} MiB: lower 'limit' or 'heapPercentage', or raise the container's limit`,
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

  /** Throws unless a queue that counts bytes fits below the soft limit: a larger one is never filled, as data is refused before. */
  public checkQueue(place: string, queue: Queue): void {
    const queued = Math.ceil((queue._boundBytes() ?? 0) / (1024 * 1024));
    if (queued > this.softLimit.toMebibytes()) {
      throw new Error(
        `${place}: 'queueSize' (${queued} MiB) exceeds the soft memory limit (${this.softLimit.toMebibytes()} MiB): shrink the queue or raise 'limit' (${this.limit.toMebibytes()} MiB)`,
      );
    }
  }
}

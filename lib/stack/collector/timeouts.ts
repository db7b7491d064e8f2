import { Duration } from 'cdk8s';
import { printDuration } from './print';

/** What the waits between the agent and a backend are derived from. */
export interface TimeoutsProps {
  /**
   * How long the gateway gathers a batch.
   * @default Duration.millis(200)
   */
  readonly flushTimeout?: Duration;
  /**
   * Of one attempt from the gateway to a backend.
   * @default Duration.seconds(5)
   */
  readonly exporterTimeout?: Duration;
  /**
   * For the network and for waiting behind others.
   * @default Duration.seconds(2)
   */
  readonly margin?: Duration;
}

/**
 * The gateway answers the agent when the backend has answered (`wait_for_result`). An agent that gives up earlier sends the same data
 * again while the first copy is still under way: a duplicate. So its timeout is derived, never chosen:
 * agent timeout > gateway flush_timeout + gateway exporter timeout + margin.
 */
export class Timeouts {
  public readonly flushTimeout: Duration;
  public readonly exporterTimeout: Duration;
  public readonly margin: Duration;

  constructor(props: TimeoutsProps = {}) {
    this.flushTimeout = props.flushTimeout ?? Duration.millis(200);
    this.exporterTimeout = props.exporterTimeout ?? Duration.seconds(5);
    this.margin = props.margin ?? Duration.seconds(2);
    for (const [key, value] of [
      ['flushTimeout', this.flushTimeout],
      ['exporterTimeout', this.exporterTimeout],
      ['margin', this.margin],
    ] as const) {
      if (value.toMilliseconds() <= 0) {
        throw new Error(
          `Timeouts: '${key}' (${printDuration(value)}) must be positive: without it the agent gives up before the backend has answered`,
        );
      }
    }
  }

  /** The shortest time after which the gateway has certainly answered. */
  public get gatewayAnswer(): Duration {
    return Duration.millis(this.flushTimeout.toMilliseconds() + this.exporterTimeout.toMilliseconds());
  }

  /** For the exporter of the agent: the next whole second above the answer of the gateway and the margin. */
  public get agentTimeout(): Duration {
    const sum = this.gatewayAnswer.toMilliseconds() + this.margin.toMilliseconds();
    return Duration.seconds(Math.floor(sum / 1000) + 1);
  }

  /** For the gateway's OTLP receiver over HTTP: its answer may be written as late as the agent waits for one. */
  public get receiverWriteTimeout(): Duration {
    return Duration.seconds(Math.max(30, this.agentTimeout.toSeconds()));
  }

  /** Throws unless an agent with this timeout outwaits the gateway. */
  public checkAgent(place: string, agentTimeout: Duration): void {
    const needed = this.gatewayAnswer.toMilliseconds() + this.margin.toMilliseconds();
    if (agentTimeout.toMilliseconds() <= needed) {
      throw new Error(
        `${place}: 'timeout' (${printDuration(agentTimeout)}) must exceed ${needed} ms, the sum of the gateway's flush_timeout (${printDuration(this.flushTimeout)}), its exporter timeout (${printDuration(this.exporterTimeout)}) and the margin (${printDuration(this.margin)}): leave it to be derived, or raise it`,
      );
    }
  }
}

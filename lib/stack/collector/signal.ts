/** A kind of telemetry. A pipeline carries exactly one. */
export class Signal {
  public static readonly TRACES = new Signal('traces');
  public static readonly METRICS = new Signal('metrics');
  public static readonly LOGS = new Signal('logs');
  /** Understood by our agent; the Collector wants its feature gate `service.profilesSupport` for it. */
  public static readonly PROFILES = new Signal('profiles');

  /** The three stable signals, in the order in which a configuration lists them. */
  public static stable(): Signal[] {
    return [Signal.TRACES, Signal.METRICS, Signal.LOGS];
  }

  /** Every signal, profiles included. */
  public static all(): Signal[] {
    return [...Signal.stable(), Signal.PROFILES];
  }

  private constructor(
    /** As in the name of a pipeline. */
    public readonly name: string,
  ) {}
}

/** `traces, metrics`: for messages. */
export function signalNames(signals: Signal[]): string {
  return signals.length === 0 ? 'none' : signals.map((signal) => signal.name).join(', ');
}

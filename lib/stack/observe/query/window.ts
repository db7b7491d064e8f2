import { Duration } from 'cdk8s';
import { QueryDialect } from './dialect';
import { printPromDuration } from './duration';

/** The time over which a range query looks back. */
export class Window {
  /** Long enough for a rate at the panel's resolution; five minutes outside of Grafana. */
  public static readonly RATE_INTERVAL = new Window(Duration.minutes(5), '$__rate_interval');

  /** A fixed length. A rate needs at least four scrapes in it to survive a missed one. */
  public static of(length: Duration): Window {
    return new Window(length, '');
  }

  private constructor(
    public readonly length: Duration,
    private readonly variable: string,
  ) {}

  /** @internal */
  public _print(dialect: QueryDialect): string {
    return dialect === QueryDialect.GRAFANA && this.variable !== '' ? this.variable : printPromDuration(this.length);
  }
}

/** How soon somebody has to look. */
export class Severity {
  /** At once, at night too: users are affected or data is being lost. */
  public static readonly CRITICAL = new Severity('critical', 3);
  /** On the next working day: it will become critical if nobody looks. */
  public static readonly WARNING = new Severity('warning', 2);
  /** When convenient. */
  public static readonly INFO = new Severity('info', 1);
  /** Not for people: the heartbeat that proves that alerts arrive. */
  public static readonly NONE = new Severity('none', 0);

  /** From the most urgent to the least. */
  public static all(): Severity[] {
    return [Severity.CRITICAL, Severity.WARNING, Severity.INFO, Severity.NONE];
  }

  private constructor(
    /** The value of the label `severity`. */
    public readonly name: string,
    /** Higher is more urgent. */
    public readonly rank: number,
  ) {}
}

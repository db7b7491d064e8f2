/** How large the reference stack is printed. Everything that is not a matter of size is the same in both. */
export class Profile {
  /** Replicated, persistent, autoscaled: the default. */
  public static readonly PRODUCTION = new Profile('production');
  /**
   * One small node: one replica each, memory storage, no autoscaler; the requests of all pods fit into 2 CPU and 4 GiB together.
   */
  public static readonly DEVELOPMENT = new Profile('development');

  private constructor(public readonly name: string) {}
}

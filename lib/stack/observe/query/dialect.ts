/**
 * Who will read a printed query. Grafana replaces variables before it asks Prometheus; in rules and in tests nobody does.
 */
export class QueryDialect {
  /** Rules, autoscaling triggers and the HTTP API: variables become what they stand for when everything is selected. */
  public static readonly PROMETHEUS = new QueryDialect('prometheus');
  /** Dashboard panels: `$namespace`, `$__rate_interval`. */
  public static readonly GRAFANA = new QueryDialect('grafana');

  private constructor(public readonly name: string) {}
}

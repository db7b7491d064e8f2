import type { Query } from './query';

/** One use of a query: where it stands and what it asks. */
export interface QueryUse {
  /** `alert HighErrorRate`, `rule service:http_requests:rate5m`, `dashboard otlp-service: Request rate`. */
  readonly place: string;
  readonly query: Query;
}

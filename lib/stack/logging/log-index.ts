import { Duration, Size } from 'cdk8s';

/** How long logs are kept, and on what. */
export interface LogRetentionProps {
  /** A backing index is rolled over at this size of its primary shards together ... @default Size.gibibytes(50) */
  readonly rolloverSize?: Size;
  /** ... or at this age, whichever is first. @default Duration.days(1) */
  readonly rolloverAge?: Duration;
  /** Then it is shrunk to one shard. @default Duration.days(7) */
  readonly warmAfter?: Duration;
  /** @default Duration.days(30) */
  readonly deleteAfter?: Duration;
}

export interface LogIndexProps extends LogRetentionProps {
  /** The data stream that every producer writes to. @default 'otlp-rust' */
  readonly name?: string;
  /** Primary shards of a new backing index. @default 3 */
  readonly shards?: number;
  /** Copies of each shard. @default 1 */
  readonly replicas?: number;
}

/**
 * The data stream that all logs go to, with its template and lifecycle policy. A data stream rolls over by itself;
 * a plain index of the same name would never meet the policy's roll-over.
 *
 * @see https://www.elastic.co/docs/manage-data/data-store/data-streams
 */
export class LogIndex {
  public readonly name: string;
  private readonly rolloverSize: Size;
  private readonly rolloverAge: Duration;
  private readonly warmAfter: Duration;
  private readonly deleteAfter: Duration;

  constructor(private readonly props: LogIndexProps = {}) {
    this.name = props.name ?? 'otlp-rust';
    this.rolloverSize = props.rolloverSize ?? Size.gibibytes(50);
    this.rolloverAge = props.rolloverAge ?? Duration.days(1);
    this.warmAfter = props.warmAfter ?? Duration.days(7);
    this.deleteAfter = props.deleteAfter ?? Duration.days(30);
    if (this.warmAfter.toMilliseconds() >= this.deleteAfter.toMilliseconds()) {
      throw new Error(
        `log index '${this.name}': 'warmAfter' (${days(this.warmAfter)}) must be shorter than 'deleteAfter' (${days(this.deleteAfter)}): logs would be gone before they are shrunk`,
      );
    }
  }

  /** The lifecycle policy, as `PUT _ilm/policy/<name>` takes it. */
  public policy(): object {
    return {
      policy: {
        phases: {
          hot: {
            min_age: '0ms',
            actions: {
              // Of the whole index, not of one shard: the warm phase puts all of it into one shard, which should not exceed 50 GB.
              rollover: { max_size: `${this.rolloverSize.toGibibytes()}gb`, max_age: days(this.rolloverAge) },
              set_priority: { priority: 100 },
            },
          },
          warm: { min_age: days(this.warmAfter), actions: { shrink: { number_of_shards: 1 }, set_priority: { priority: 50 } } },
          delete: { min_age: days(this.deleteAfter), actions: { delete: {} } },
        },
      },
    };
  }

  /** The index template, as `PUT _index_template/<name>` takes it. */
  public template(): object {
    return {
      index_patterns: [this.name],
      data_stream: {},
      // Above Elastic's own templates (100 to 200).
      priority: 500,
      template: {
        settings: {
          'index.lifecycle.name': this.name,
          'index.number_of_shards': this.props.shards ?? 3,
          'index.number_of_replicas': this.props.replicas ?? 1,
        },
        mappings: {
          properties: {
            '@timestamp': { type: 'date' },
            message: { type: 'match_only_text' },
            log: { properties: { level: { type: 'keyword' } } },
            trace_id: { type: 'keyword' },
            span_id: { type: 'keyword' },
            trace: { properties: { id: { type: 'keyword' } } },
            span: { properties: { id: { type: 'keyword' } } },
            service: { properties: { name: { type: 'keyword' }, environment: { type: 'keyword' } } },
            method: { type: 'keyword' },
            route: { type: 'keyword' },
            status: { type: 'short' },
            duration: { type: 'float' },
            cluster_name: { type: 'keyword' },
            kubernetes: {
              properties: {
                namespace_name: { type: 'keyword' },
                pod_name: { type: 'keyword' },
                container_name: { type: 'keyword' },
                host: { type: 'keyword' },
                // Users' labels are open: one field, not one mapping per label (the limit is 1000 fields).
                labels: { type: 'flattened' },
              },
            },
          },
        },
      },
    };
  }
}

function days(duration: Duration): string {
  const hours = duration.toMilliseconds() / 3_600_000;
  return hours % 24 === 0 ? `${hours / 24}d` : `${hours}h`;
}

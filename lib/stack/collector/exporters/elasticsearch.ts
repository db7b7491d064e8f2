import { Duration } from 'cdk8s';
import { type ComponentIdentity, Exporter, type Extension } from '../component';
import { checkRange, checkUrl, optionalDuration, printDuration } from '../print';
import type { Queue } from '../queue';
import { Signal } from '../signal';
import type { Spelling } from '../spelling';

/** How OpenTelemetry's fields become fields of a document. */
export class ElasticsearchMapping {
  /** Close to OTLP; Elasticsearch 8.12 and later have the templates for it. */
  public static readonly OTEL = new ElasticsearchMapping('otel');
  /** The Elastic Common Schema. */
  public static readonly ECS = new ElasticsearchMapping('ecs');
  /** Attributes under `Attributes.`, resources under `Resource.`. */
  public static readonly NONE = new ElasticsearchMapping('none');

  private constructor(public readonly name: string) {}
}

/** Intervals are spread at random by half of themselves. */
export const BACKOFF_SPREAD = 1.5;

/**
 * How documents are sent again that Elasticsearch had no room for. It answers for each document of a request on its own, and the exporter
 * tells nobody about single documents: what is refused once more than `maxRetries` is logged and lost, and the sender hears of success.
 */
export interface ElasticsearchRetry {
  /** @default true */
  readonly enabled?: boolean;
  /** @default 2 */
  readonly maxRetries?: number;
  /** @default Duration.millis(100) */
  readonly initialInterval?: Duration;
  /** @default Duration.minutes(1) */
  readonly maxInterval?: Duration;
}

/** Keys of the `elasticsearch` exporter. */
export interface ElasticsearchExporterProps extends ComponentIdentity {
  /** URLs of the nodes, tried in turn. */
  readonly endpoints: string[];
  /** @default - no sign-in */
  readonly user?: string;
  /**
   * A reference to the environment, `${env:NAME}`: the value itself is never printed.
   * @default - no sign-in
   */
  readonly password?: string;
  /**
   * The index, alias or data stream of log records.
   * @default - by data stream attributes: `logs-generic.otel-default`
   */
  readonly logsIndex?: string;
  /** @default - by data stream attributes */
  readonly tracesIndex?: string;
  /** @default ElasticsearchMapping.OTEL */
  readonly mapping?: ElasticsearchMapping;
  /**
   * Of one request.
   * @default Duration.seconds(90)
   */
  readonly timeout?: Duration;
  /** @default - in memory, 10 requests, batches of 1 to 5 MB or 10 s */
  readonly sendingQueue?: Queue;
  /** @default - twice, 100 ms to 1 minute apart */
  readonly retry?: ElasticsearchRetry;
}

/** Writes documents by Elasticsearch's bulk API. */
export class ElasticsearchExporter extends Exporter {
  /** Of one request. */
  public readonly timeout: Duration;
  private readonly props: ElasticsearchExporterProps;

  constructor(props: ElasticsearchExporterProps) {
    super('elasticsearch', props, Signal.stable());
    this.props = props;
    this.timeout = props.timeout ?? Duration.seconds(90);
    checkRange(this._place, 'maxRetries', props.retry?.maxRetries, 0, 100);
    if (props.endpoints.length === 0) {
      throw new Error(`${this._place}: 'endpoints' is empty: name at least one URL`);
    }
    for (const endpoint of props.endpoints) {
      checkUrl(this._place, 'endpoints', endpoint);
    }
    if ((props.user === undefined) !== (props.password === undefined)) {
      const [given, missing] = props.user === undefined ? ['password', 'user'] : ['user', 'password'];
      throw new Error(`${this._place}: '${given}' is given and '${missing}' is not: a sign-in needs both`);
    }
    if (props.password !== undefined && !/^\$\{(env|file):[^}]+\}$/.test(props.password)) {
      throw new Error(
        `${this._place}: 'password' is a literal value, which would be printed: write '\${env:NAME}' and set NAME from a Secret`,
      );
    }
  }

  /** @internal */
  public override _attemptTimeout(): Duration {
    const { enabled = true, maxRetries = 2, maxInterval = Duration.minutes(1) } = this.props.retry ?? {};
    const again = enabled ? maxRetries : 0;
    return Duration.millis(this.timeout.toMilliseconds() * (again + 1) + maxInterval.toMilliseconds() * BACKOFF_SPREAD * again);
  }

  /** @internal */
  public override _extensions(): Extension[] {
    const storage = this.props.sendingQueue?._storage();
    return storage ? [storage] : [];
  }

  /** @internal */
  public override _render(spelling: Spelling): object {
    const { retry, mapping } = this.props;
    return {
      endpoints: [...this.props.endpoints],
      user: this.props.user,
      password: this.props.password,
      logs_index: this.props.logsIndex,
      traces_index: this.props.tracesIndex,
      mapping: mapping && { mode: mapping.name },
      timeout: this.props.timeout && printDuration(this.props.timeout),
      sending_queue: this.props.sendingQueue?._render(this._place, spelling),
      retry: retry && {
        enabled: retry.enabled,
        max_retries: retry.maxRetries,
        initial_interval: optionalDuration(retry.initialInterval),
        max_interval: optionalDuration(retry.maxInterval),
      },
    };
  }
}

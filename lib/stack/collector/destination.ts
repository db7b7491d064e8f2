import { Duration } from 'cdk8s';
import type { IEndpoint } from '../model/endpoint';
import { Env } from '../model/env';
import type { Exporter } from './component';
import { BACKOFF_SPREAD, ElasticsearchExporter, type ElasticsearchMapping, type ElasticsearchRetry } from './exporters/elasticsearch';
import { OtlpGrpcExporter } from './exporters/otlp-grpc';
import { OtlpHttpExporter } from './exporters/otlp-http';
import { envReference } from './print';
import type { Queue } from './queue';
import type { Retry } from './retry';

/** What the gateway decides for all of its exporters, so that they agree with the agent. */
export interface DestinationSettings {
  readonly timeout: Duration;
  readonly queue: Queue;
  readonly retry: Retry;
}

/** Options of {@link Destination.otlpHttp}. */
export interface OtlpHttpDestinationOptions {
  /**
   * Between the endpoint and `/v1/...`.
   * @default ''
   */
  readonly path?: string;
}

/** Options of {@link Destination.elasticsearch}. */
export interface ElasticsearchDestinationOptions {
  /** @default - no sign-in */
  readonly user?: string;
  /**
   * The Secret in the gateway's namespace that holds the password.
   * @default - no sign-in
   */
  readonly passwordSecretName?: string;
  /**
   * The key in that Secret.
   * @default - the user's name
   */
  readonly passwordSecretKey?: string;
  /**
   * The data stream or alias of log records.
   * @default - by data stream attributes
   */
  readonly logsIndex?: string;
  /** @default ElasticsearchMapping.OTEL */
  readonly mapping?: ElasticsearchMapping;
}

/** Where the gateway sends a signal. */
export class Destination {
  /** OTLP over gRPC: Jaeger, Tempo, another Collector. `name` becomes part of the exporter's id. */
  public static otlpGrpc(name: string, endpoint: IEndpoint): Destination {
    return new Destination(
      endpoint,
      (settings) =>
        new OtlpGrpcExporter({
          name,
          endpoint: endpoint.address,
          timeout: settings.timeout,
          sendingQueue: settings.queue,
          retryOnFailure: settings.retry,
        }),
      [],
    );
  }

  /** OTLP over HTTP: Loki, a vendor. */
  public static otlpHttp(name: string, endpoint: IEndpoint, options: OtlpHttpDestinationOptions = {}): Destination {
    return new Destination(
      endpoint,
      (settings) =>
        new OtlpHttpExporter({
          name,
          endpoint: `${endpoint.url.replace(/\/$/, '')}${options.path ?? ''}`,
          timeout: settings.timeout,
          sendingQueue: settings.queue,
          retryOnFailure: settings.retry,
        }),
      [],
    );
  }

  /** Prometheus' OTLP endpoint; the server must run with `--web.enable-otlp-receiver`. */
  public static prometheus(endpoint: IEndpoint): Destination {
    return Destination.otlpHttp('prometheus', endpoint, { path: '/api/v1/otlp' });
  }

  /** Elasticsearch's bulk API. The password stays in its Secret. */
  public static elasticsearch(endpoint: IEndpoint, options: ElasticsearchDestinationOptions = {}): Destination {
    const { user, passwordSecretName } = options;
    const variable = 'ELASTICSEARCH_PASSWORD';
    const signsIn = user !== undefined && passwordSecretName !== undefined;
    const env = signsIn ? [Env.secret(variable, passwordSecretName, options.passwordSecretKey ?? user)] : [];
    return new Destination(
      endpoint,
      (settings) =>
        new ElasticsearchExporter({
          endpoints: [endpoint.url],
          user,
          password: signsIn ? envReference(variable) : undefined,
          logsIndex: options.logsIndex,
          mapping: options.mapping,
          ...elasticsearchAttempts(settings),
          sendingQueue: settings.queue,
        }),
      env,
    );
  }

  /** Any exporter as it is; its timeouts and queue are its own affair, so is what they mean for the agent's timeout. */
  public static exporter(exporter: Exporter, endpoint?: IEndpoint): Destination {
    return new Destination(endpoint, () => exporter, []);
  }

  private constructor(
    /** What the gateway connects to; undefined when it is unknown to the model. */
    public readonly endpoint: IEndpoint | undefined,
    private readonly create: (settings: DestinationSettings) => Exporter,
    private readonly variables: Env[],
  ) {}

  /** Variables that the exporter reads. */
  public get env(): Env[] {
    return [...this.variables];
  }

  /** @internal */
  public _exporter(settings: DestinationSettings): Exporter {
    return this.create(settings);
  }
}

const DOCUMENT_RETRIES = 2;
const DOCUMENT_RETRY_INTERVAL = Duration.millis(200);

/**
 * Single documents that Elasticsearch refuses for lack of room can be sent again by the exporter only, so it does that even where the agent
 * keeps the data, but all attempts together stay within the time that the agent's own timeout is derived from.
 */
function elasticsearchAttempts(settings: DestinationSettings): { timeout: Duration; retry?: ElasticsearchRetry } {
  if (settings.retry.enabled) {
    // Nobody waits: a busy Elasticsearch gets minutes rather than moments.
    return { timeout: settings.timeout, retry: { enabled: true, maxRetries: 10, maxInterval: Duration.seconds(30) } };
  }
  const waits = DOCUMENT_RETRIES * DOCUMENT_RETRY_INTERVAL.toMilliseconds() * BACKOFF_SPREAD;
  const attempt = Math.floor((settings.timeout.toMilliseconds() - waits) / (DOCUMENT_RETRIES + 1));
  if (attempt < 100) {
    return { timeout: settings.timeout, retry: { enabled: false } };
  }
  return {
    timeout: Duration.millis(attempt),
    retry: { enabled: true, maxRetries: DOCUMENT_RETRIES, maxInterval: DOCUMENT_RETRY_INTERVAL },
  };
}

import { Duration } from 'cdk8s';
import { ClientTls, type Compression, type HttpClientProps, renderHttpClient } from '../client';
import { type ComponentIdentity, Exporter, type Extension } from '../component';
import { checkUrl, printDuration } from '../print';
import type { Queue } from '../queue';
import type { Retry } from '../retry';
import { Signal } from '../signal';
import type { Spelling } from '../spelling';

/** How OTLP is written into HTTP bodies. */
export class OtlpEncoding {
  public static readonly PROTO = new OtlpEncoding('proto');
  public static readonly JSON = new OtlpEncoding('json');

  private constructor(public readonly name: string) {}
}

/** Keys of the `otlp_http` exporter. */
export interface OtlpHttpExporterProps extends ComponentIdentity, HttpClientProps {
  /**
   * The URL that `/v1/traces` and so on are appended to.
   * @default - one of the endpoints per signal must be there
   */
  readonly endpoint?: string;
  /** @default - ENDPOINT/v1/traces */
  readonly tracesEndpoint?: string;
  /** @default - ENDPOINT/v1/metrics */
  readonly metricsEndpoint?: string;
  /** @default - ENDPOINT/v1/logs */
  readonly logsEndpoint?: string;
  /** @default OtlpEncoding.PROTO */
  readonly encoding?: OtlpEncoding;
  /** @default Compression.GZIP */
  readonly compression?: Compression;
  /** @default ClientTls.insecure() */
  readonly tls?: ClientTls;
  /**
   * Of one attempt.
   * @default Duration.seconds(30)
   */
  readonly timeout?: Duration;
  /** @default - in memory, 1000 requests */
  readonly sendingQueue?: Queue;
  /** @default - exponential backoff for 5 minutes */
  readonly retryOnFailure?: Retry;
}

/** OTLP over HTTP (`otlphttp` before 0.144). */
export class OtlpHttpExporter extends Exporter {
  /** Of one attempt. */
  public readonly timeout: Duration;
  private readonly props: OtlpHttpExporterProps;

  constructor(props: OtlpHttpExporterProps) {
    super('otlp_http', props, servedSignals(props));
    this.props = props;
    this.timeout = props.timeout ?? Duration.seconds(30);
    const urls: [string, string | undefined][] = [
      ['endpoint', props.endpoint],
      ['tracesEndpoint', props.tracesEndpoint],
      ['metricsEndpoint', props.metricsEndpoint],
      ['logsEndpoint', props.logsEndpoint],
    ];
    for (const [key, url] of urls) {
      if (url !== undefined) {
        checkUrl(this._place, key, url);
      }
    }
    if (urls.every(([, url]) => url === undefined)) {
      throw new Error(`${this._place}: no endpoint: set 'endpoint', or one of 'tracesEndpoint', 'metricsEndpoint', 'logsEndpoint'`);
    }
    renderHttpClient(this._place, props, props.compression);
  }

  /** @internal */
  public override _attemptTimeout(): Duration {
    return this.timeout;
  }

  /** @internal */
  public override _extensions(): Extension[] {
    const storage = this.props.sendingQueue?._storage();
    return storage ? [storage] : [];
  }

  /** @internal */
  public override _render(spelling: Spelling): object {
    return {
      endpoint: this.props.endpoint,
      traces_endpoint: this.props.tracesEndpoint,
      metrics_endpoint: this.props.metricsEndpoint,
      logs_endpoint: this.props.logsEndpoint,
      encoding: this.props.encoding?.name,
      ...renderHttpClient(this._place, this.props, this.props.compression),
      tls: (this.props.tls ?? ClientTls.insecure())._render(),
      timeout: this.props.timeout && printDuration(this.props.timeout),
      sending_queue: this.props.sendingQueue?._render(this._place, spelling),
      retry_on_failure: this.props.retryOnFailure?._render(),
    };
  }
}

/** Without a common endpoint only the signals that have one of their own. */
function servedSignals(props: OtlpHttpExporterProps): Signal[] {
  if (props.endpoint !== undefined) {
    return Signal.all();
  }
  const own = [
    { signal: Signal.TRACES, url: props.tracesEndpoint },
    { signal: Signal.METRICS, url: props.metricsEndpoint },
    { signal: Signal.LOGS, url: props.logsEndpoint },
  ];
  return own.filter(({ url }) => url !== undefined).map(({ signal }) => signal);
}

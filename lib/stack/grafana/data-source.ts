import type { Duration } from 'cdk8s';
import type { IConfig } from '../model/config-content';
import type { IEndpoint } from '../model/endpoint';
import { Env } from '../model/env';
import { SpanMetrics } from '../observe/metrics';
import { printPromDuration } from '../observe/query';

export interface PrometheusSourceOptions {
  /** How often it scrapes: the least step of a panel. */
  readonly scrapeInterval: Duration;
  /** The data source that opens an exemplar's trace. @default - none */
  readonly traces?: DataSource;
}

export interface JaegerSourceOptions {
  /** Where the logs of a span are. @default - no link */
  readonly logs?: DataSource;
  /** Where the rates of a span's service are. @default - no link */
  readonly metrics?: DataSource;
}

export interface ElasticsearchSourceOptions {
  /** The index, data stream or pattern. */
  readonly index: string;
  /** @default - no sign-in */
  readonly user?: string;
  /** The Secret that holds the user's password, under the user's name. @default - no sign-in */
  readonly passwordSecretName?: string;
  /** The uid of the data source that opens a log line's trace. @default - no link */
  readonly tracesUid?: string;
}

/** Fields of a log line that hold the id of its trace: as OTLP's ECS mapping writes it, and as applications do. */
const TRACE_FIELDS = ['trace.id', 'trace_id'];

/**
 * One data source that Grafana finds at its start.
 *
 * @see https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources
 */
export class DataSource {
  public static prometheus(endpoint: IEndpoint, options: PrometheusSourceOptions): DataSource {
    const { traces } = options;
    return new DataSource('prometheus', 'Prometheus', 'prometheus', {
      url: endpoint.url,
      isDefault: true,
      jsonData: {
        httpMethod: 'POST',
        timeInterval: printPromDuration(options.scrapeInterval),
        prometheusType: 'Prometheus',
        exemplarTraceIdDestinations: traces && [{ name: 'trace_id', datasourceUid: traces.uid }],
      },
    });
  }

  public static jaeger(endpoint: IEndpoint, options: JaegerSourceOptions = {}): DataSource {
    return new DataSource('jaeger', 'Jaeger', 'jaeger', {
      url: endpoint.url,
      jsonData: {
        nodeGraph: { enabled: true },
        tracesToLogsV2: options.logs && {
          datasourceUid: options.logs.uid,
          spanStartTimeShift: '-5m',
          spanEndTimeShift: '5m',
          filterByTraceID: false,
          filterBySpanID: false,
          customQuery: true,
          query: TRACE_FIELDS.map((field) => `${field}:"${reference('__trace.traceId')}"`).join(' OR '),
        },
        tracesToMetrics: options.metrics && {
          datasourceUid: options.metrics.uid,
          spanStartTimeShift: '-10m',
          spanEndTimeShift: '10m',
          tags: [{ key: 'service.name', value: 'service_name' }],
          queries: [{ name: 'Calls', query: `sum(rate(${SpanMetrics.CALLS.name}{${reference('__tags')}}[5m]))` }],
        },
      },
    });
  }

  public static elasticsearch(endpoint: IEndpoint, options: ElasticsearchSourceOptions): DataSource {
    const { user, passwordSecretName, tracesUid } = options;
    const env = user && passwordSecretName ? [Env.secret('ELASTICSEARCH_PASSWORD', passwordSecretName, user)] : [];
    return new DataSource(
      'elasticsearch',
      'Logs',
      'elasticsearch',
      {
        url: endpoint.url,
        basicAuth: user === undefined ? undefined : true,
        basicAuthUser: user,
        // Grafana replaces the variable when it reads the file.
        secureJsonData: env.length > 0 ? { basicAuthPassword: '$ELASTICSEARCH_PASSWORD' } : undefined,
        jsonData: {
          index: options.index,
          timeField: '@timestamp',
          logMessageField: 'message',
          logLevelField: 'log.level',
          maxConcurrentShardRequests: 5,
          dataLinks:
            tracesUid === undefined
              ? undefined
              : TRACE_FIELDS.map((field) => ({ field: literalField(field), url: reference('__value.raw'), datasourceUid: tracesUid })),
        },
      },
      env,
    );
  }

  public static alertmanager(endpoint: IEndpoint): DataSource {
    return new DataSource('alertmanager', 'Alertmanager', 'alertmanager', {
      url: endpoint.url,
      jsonData: { implementation: 'prometheus' },
    });
  }

  /** Any other kind. */
  public static custom(uid: string, name: string, type: string, config: object): DataSource {
    return new DataSource(uid, name, type, config);
  }

  private constructor(
    /** Dashboards and links hold it: it never changes. */
    public readonly uid: string,
    public readonly name: string,
    public readonly type: string,
    private readonly config: object,
    private readonly variables: Env[] = [],
  ) {}

  /** Variables that its part of the file refers to. */
  public get env(): Env[] {
    return [...this.variables];
  }

  /** @internal */
  public _render(): object {
    return { name: this.name, uid: this.uid, type: this.type, access: 'proxy', editable: false, ...this.config };
  }
}

/** The provisioning file of all data sources. */
export class DataSourcesFile implements IConfig {
  constructor(private readonly sources: DataSource[]) {
    const uids = sources.map(({ uid }) => uid);
    const twice = uids.find((uid, at) => uids.indexOf(uid) !== at);
    if (twice !== undefined) {
      throw new Error(`data source uid '${twice}' occurs twice: links could not tell them apart; give one of them another`);
    }
  }

  public renderConfig(): object {
    return { apiVersion: 1, prune: true, datasources: this.sources.map((source) => source._render()) };
  }
}

/** A variable that Grafana fills in when a link is used. While it reads the file it would take `$` for one of the environment: `$$` escapes. */
function reference(name: string): string {
  return `$\${${name}}`;
}

/** Grafana reads the field of a data link as a regular expression. */
function literalField(field: string): string {
  return `^${field.replace('.', '\\.')}$$`;
}

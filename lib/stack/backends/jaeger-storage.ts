import type { IEndpoint } from '../model/endpoint';

export interface JaegerElasticsearchProps {
  readonly endpoint: IEndpoint;
  /** The Secret with the password of `user`, under the user's name; in Jaeger's namespace. @default 'elasticsearch-users' */
  readonly usersSecretName?: string;
  /** @default 'jaeger' */
  readonly user?: string;
  /** @default 'jaeger' */
  readonly indexPrefix?: string;
  /** Primary shards of each daily index. @default 3 */
  readonly shards?: number;
  /** @default 1 */
  readonly replicas?: number;
}

/** Where Jaeger keeps traces. */
export class JaegerStorage {
  /** In the process: gone with the pod, and not shared, so exactly one replica. @param maxTraces the oldest go first */
  public static memory(maxTraces = 50_000): JaegerStorage {
    return new JaegerStorage(undefined, { memory: { max_traces: maxTraces } });
  }

  /** In Elasticsearch, shared by every replica. */
  public static elasticsearch(props: JaegerElasticsearchProps): JaegerStorage {
    const indices = { shards: props.shards ?? 3, replicas: props.replicas ?? 1, date_layout: '2006-01-02', rollover_frequency: 'day' };
    return new JaegerStorage(props, {
      elasticsearch: {
        server_urls: [props.endpoint.url],
        auth: { basic: { username: props.user ?? 'jaeger', password_file: `${PASSWORD_DIRECTORY}/${props.user ?? 'jaeger'}` } },
        indices: {
          index_prefix: props.indexPrefix ?? 'jaeger',
          spans: indices,
          services: indices,
          dependencies: indices,
          sampling: indices,
        },
      },
    });
  }

  private constructor(
    /** Undefined for memory. */
    public readonly store: JaegerElasticsearchProps | undefined,
    private readonly backend: object,
  ) {}

  /** One entry of `jaeger_storage.backends`. @internal */
  public _render(): object {
    return this.backend;
  }
}

/** Where the password file of the store is mounted. */
export const PASSWORD_DIRECTORY = '/etc/jaeger-elasticsearch';

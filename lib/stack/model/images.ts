/** Options of {@link Image.of}. */
export interface ImageOptions {
  /** @default - the tag alone decides */
  readonly digest?: string;
  /**
   * The version of the program inside, when the tag does not say it.
   * @default - the tag without a leading `v`
   */
  readonly version?: string;
}

/** A container image at a fixed version. `latest` is refused: what is printed today must be what runs tomorrow. */
export class Image {
  /** @param repository with registry, as in `docker.io/grafana/grafana` */
  public static of(repository: string, tag: string, options: ImageOptions = {}): Image {
    if (tag === 'latest' || tag === '') {
      throw new Error(`image '${repository}': tag '${tag}' is not a version; name the version that was tested`);
    }
    return new Image(repository, tag, options.digest ?? '', options.version ?? tag.replace(/^v/, ''));
  }

  private constructor(
    public readonly repository: string,
    public readonly tag: string,
    /** `sha256:...`, or empty. */
    public readonly digest: string,
    /** The version of the program inside; decides the spelling of its configuration and its catalogue entry. */
    public readonly version: string,
  ) {}

  /** As a pod spec names it. */
  public asString(): string {
    return this.digest === '' ? `${this.repository}:${this.tag}` : `${this.repository}:${this.tag}@${this.digest}`;
  }
}

/** Images that a stack uses; each may be replaced, by a mirror for instance. */
export interface ImageOverrides {
  /** @default - the set's own */
  readonly agent?: Image;
  /** @default - the set's own */
  readonly sampleService?: Image;
  /** @default - the set's own */
  readonly collector?: Image;
  /** @default - the set's own */
  readonly jaeger?: Image;
  /** @default - the set's own */
  readonly prometheus?: Image;
  /** @default - the set's own */
  readonly alertmanager?: Image;
  /** @default - the set's own */
  readonly kubeStateMetrics?: Image;
  /** @default - the set's own */
  readonly grafana?: Image;
  /** @default - the set's own */
  readonly fluentd?: Image;
  /** @default - the set's own */
  readonly elasticsearch?: Image;
  /** @default - the set's own; runs the install Job for index templates and policies */
  readonly curl?: Image;
}

/** The version of our own images: that of the packages. */
export const OWN_VERSION = '0.1.0';

const COLLECTOR = 'ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib';
const OWN = 'ghcr.io/otlp-stack';

/** The images of one stack, pinned together. */
export class Images {
  /** What the tests of this version ran against the stack's own configurations, and the newest of what cannot run there. */
  public static pinned(): Images {
    return new Images({
      agent: Image.of(`${OWN}/agent`, OWN_VERSION),
      sampleService: Image.of(`${OWN}/sample-service`, OWN_VERSION),
      collector: Image.of(COLLECTOR, '0.155.0'),
      jaeger: Image.of('docker.io/jaegertracing/jaeger', '2.13.0'),
      prometheus: Image.of('quay.io/prometheus/prometheus', 'v3.15.0'),
      alertmanager: Image.of('quay.io/prometheus/alertmanager', 'v0.34.2'),
      kubeStateMetrics: Image.of('registry.k8s.io/kube-state-metrics/kube-state-metrics', 'v2.15.0'),
      grafana: Image.of('docker.io/grafana/grafana', '13.3.0'),
      fluentd: Image.of('docker.io/fluent/fluentd-kubernetes-daemonset', 'v1.19.3-debian-elasticsearch9-1.1', { version: '1.19.3' }),
      elasticsearch: Image.of('docker.elastic.co/elasticsearch/elasticsearch', '9.5.1'),
      curl: Image.of('docker.io/curlimages/curl', '8.16.0'),
    });
  }

  /** The newest of everything; `docs/reference/support.md` says which of them were run. */
  public static latest(): Images {
    return Images.pinned().with({
      // 0.162.0 has no multi-architecture tag.
      collector: Image.of(COLLECTOR, '0.161.0'),
      jaeger: Image.of('docker.io/jaegertracing/jaeger', '2.21.0'),
      kubeStateMetrics: Image.of('registry.k8s.io/kube-state-metrics/kube-state-metrics', 'v2.20.0'),
    });
  }

  private constructor(private readonly set: Required<ImageOverrides>) {}

  /** The same set with some images replaced. */
  public with(overrides: ImageOverrides): Images {
    return new Images({ ...this.set, ...withoutUndefined(overrides) });
  }

  public get agent(): Image {
    return this.set.agent;
  }
  public get sampleService(): Image {
    return this.set.sampleService;
  }
  public get collector(): Image {
    return this.set.collector;
  }
  public get jaeger(): Image {
    return this.set.jaeger;
  }
  public get prometheus(): Image {
    return this.set.prometheus;
  }
  public get alertmanager(): Image {
    return this.set.alertmanager;
  }
  public get kubeStateMetrics(): Image {
    return this.set.kubeStateMetrics;
  }
  public get grafana(): Image {
    return this.set.grafana;
  }
  public get fluentd(): Image {
    return this.set.fluentd;
  }
  public get elasticsearch(): Image {
    return this.set.elasticsearch;
  }
  public get curl(): Image {
    return this.set.curl;
  }
}

function withoutUndefined(overrides: ImageOverrides): ImageOverrides {
  return Object.fromEntries(Object.entries(overrides).filter(([, image]) => image !== undefined));
}

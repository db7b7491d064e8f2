import type { Duration } from 'cdk8s';
import { unlessEmpty } from '../model/yaml';
import { optionalDuration } from './print';

/** How request bodies are compressed. These four are known to OTLP over gRPC and over HTTP alike. */
export class Compression {
  public static readonly GZIP = new Compression('gzip');
  public static readonly ZSTD = new Compression('zstd');
  public static readonly SNAPPY = new Compression('snappy');
  public static readonly NONE = new Compression('none');

  private constructor(public readonly name: string) {}
}

/**
 * How an exporter secures its connection. Only clear text for now: certificates come with the stack's TLS switch, and the open doors
 * (`Exporter.custom`, `configOverrides`) take any other setting.
 */
export class ClientTls {
  /** Clear text. */
  public static insecure(): ClientTls {
    return new ClientTls();
  }

  private constructor() {}

  /** @internal */
  public _render(): object {
    return { insecure: true };
  }
}

/** Pings that keep a gRPC connection alive, and find out when it is not. */
export interface GrpcClientKeepalive {
  /** Silence before a ping. */
  readonly time: Duration;
  /** Silence after a ping before the connection counts as dead. */
  readonly timeout: Duration;
  /** @default false */
  readonly permitWithoutStream?: boolean;
}

/** Keys of every gRPC client. */
export interface GrpcClientProps {
  /** @default Compression.GZIP */
  readonly compression?: Compression;
  /** @default ClientTls.insecure() */
  readonly tls?: ClientTls;
  /** @default - no pings */
  readonly keepalive?: GrpcClientKeepalive;
  /**
   * Metadata of every request. A secret belongs into the environment: `${env:NAME}`.
   * @default - none
   */
  readonly headers?: { [name: string]: string };
  /**
   * How requests are spread over the addresses behind the name.
   * @default 'round_robin'
   */
  readonly balancerName?: string;
  /**
   * Wait for a connection instead of failing at once.
   * @default false
   */
  readonly waitForReady?: boolean;
}

/** The keys of a gRPC client as `configgrpc.ClientConfig` names them. */
export function renderGrpcClient(props: GrpcClientProps): { [key: string]: unknown } {
  return {
    compression: props.compression?.name,
    tls: (props.tls ?? ClientTls.insecure())._render(),
    keepalive: props.keepalive && {
      time: optionalDuration(props.keepalive.time),
      timeout: optionalDuration(props.keepalive.timeout),
      permit_without_stream: props.keepalive.permitWithoutStream,
    },
    headers: unlessEmpty(props.headers),
    balancer_name: props.balancerName,
    wait_for_ready: props.waitForReady,
  };
}

/** Keys of every HTTP client. */
export interface HttpClientProps {
  /**
   * The level of gzip: 1 (fastest) to 9 (smallest).
   * @default - that of the program
   */
  readonly compressionLevel?: number;
  /**
   * Headers of every request. A secret belongs into the environment: `${env:NAME}`.
   * @default - none
   */
  readonly headers?: { [name: string]: string };
  /** @default - no limit */
  readonly maxConnsPerHost?: number;
}

/** The keys of an HTTP client as `confighttp.ClientConfig` names them. */
export function renderHttpClient(place: string, props: HttpClientProps, compression: Compression | undefined): { [key: string]: unknown } {
  const level = props.compressionLevel;
  if (level !== undefined) {
    const used = compression ?? Compression.GZIP;
    if (used !== Compression.GZIP || !Number.isInteger(level) || level < 1 || level > 9) {
      throw new Error(
        `${place}: 'compressionLevel' (${level}) is 1 to 9 and belongs to gzip, 'compression' is '${used.name}': drop it or use Compression.GZIP`,
      );
    }
  }
  return {
    compression: compression?.name,
    compression_params: level === undefined ? undefined : { level },
    headers: unlessEmpty(props.headers),
    max_conns_per_host: props.maxConnsPerHost,
  };
}

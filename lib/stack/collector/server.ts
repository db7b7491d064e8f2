import type { Duration, Size } from 'cdk8s';
import { checkAddress, checkRange, optionalDuration, printBytes, printMebibytes } from './print';

/** Limits on how long a gRPC connection lives: an old one is closed kindly so that clients spread over new pods. */
export interface GrpcServerKeepalive {
  /** @default - for ever */
  readonly maxConnectionIdle?: Duration;
  /** @default - for ever */
  readonly maxConnectionAge?: Duration;
  /** @default - for ever */
  readonly maxConnectionAgeGrace?: Duration;
  /** @default - 2 hours */
  readonly time?: Duration;
  /** @default - 20 s */
  readonly timeout?: Duration;
  /**
   * Clients that ping more often are sent away.
   * @default - 5 minutes
   */
  readonly enforcementMinTime?: Duration;
}

/** Keys of an OTLP receiver over gRPC. */
export interface OtlpGrpcServerProps {
  /**
   * `HOST:PORT` to listen on.
   * @default 'localhost:4317'
   */
  readonly endpoint?: string;
  /**
   * Larger requests are refused.
   * @default - 4 MiB in the Collector, 64 MiB in our agent
   */
  readonly maxRecvMsgSize?: Size;
  /** @default - no limit */
  readonly maxConcurrentStreams?: number;
  /** @default - connections live for ever */
  readonly keepalive?: GrpcServerKeepalive;
  /**
   * Keep the request's metadata for processors that read it.
   * @default false
   */
  readonly includeMetadata?: boolean;
}

/** Keys of an OTLP receiver over HTTP. */
export interface OtlpHttpServerProps {
  /**
   * `HOST:PORT` to listen on.
   * @default 'localhost:4318'
   */
  readonly endpoint?: string;
  /**
   * Larger requests are refused.
   * @default - 20 MiB in the Collector, 64 MiB in our agent
   */
  readonly maxRequestBodySize?: Size;
  /** @default - 1 minute */
  readonly readHeaderTimeout?: Duration;
  /**
   * The answer must be written within this time, counted from the request's header.
   * @default - 30 s
   */
  readonly writeTimeout?: Duration;
  /** @default - 1 minute */
  readonly idleTimeout?: Duration;
  /**
   * Origins that browsers may send from.
   * @default - none
   */
  readonly corsAllowedOrigins?: string[];
  /** @default false */
  readonly includeMetadata?: boolean;
}

/** As `configgrpc.ServerConfig` names its keys. */
export function renderGrpcServer(place: string, props: OtlpGrpcServerProps): object {
  const endpoint = props.endpoint ?? 'localhost:4317';
  checkAddress(place, 'endpoint', endpoint);
  checkRange(place, 'max_concurrent_streams', props.maxConcurrentStreams, 1, 0xffff_ffff);
  return {
    endpoint,
    max_recv_msg_size_mib: props.maxRecvMsgSize && printMebibytes(place, 'max_recv_msg_size_mib', props.maxRecvMsgSize),
    max_concurrent_streams: props.maxConcurrentStreams,
    keepalive: props.keepalive && renderKeepalive(props.keepalive),
    include_metadata: props.includeMetadata,
  };
}

/** As `otlpreceiver.HTTPConfig` names its keys. */
export function renderHttpServer(place: string, props: OtlpHttpServerProps): object {
  const endpoint = props.endpoint ?? 'localhost:4318';
  checkAddress(place, 'endpoint', endpoint);
  return {
    endpoint,
    max_request_body_size: props.maxRequestBodySize && printBytes(props.maxRequestBodySize),
    read_header_timeout: optionalDuration(props.readHeaderTimeout),
    write_timeout: optionalDuration(props.writeTimeout),
    idle_timeout: optionalDuration(props.idleTimeout),
    cors: props.corsAllowedOrigins && { allowed_origins: [...props.corsAllowedOrigins] },
    include_metadata: props.includeMetadata,
  };
}

function renderKeepalive(props: GrpcServerKeepalive): object {
  return {
    server_parameters: {
      max_connection_idle: optionalDuration(props.maxConnectionIdle),
      max_connection_age: optionalDuration(props.maxConnectionAge),
      max_connection_age_grace: optionalDuration(props.maxConnectionAgeGrace),
      time: optionalDuration(props.time),
      timeout: optionalDuration(props.timeout),
    },
    enforcement_policy: props.enforcementMinTime && { min_time: optionalDuration(props.enforcementMinTime) },
  };
}

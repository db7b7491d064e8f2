/**
 * What is spoken on an endpoint: decides the transport of the port, its `appProtocol` and the scheme of its URL.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol
 */
export class Protocol {
  /** OTLP over gRPC, clear text (port 4317). */
  public static readonly OTLP_GRPC = new Protocol('otlp-grpc', 'TCP', 'grpc', 'http');
  /** OTLP over HTTP, clear text (port 4318). */
  public static readonly OTLP_HTTP = new Protocol('otlp-http', 'TCP', 'http', 'http');
  public static readonly GRPC = new Protocol('grpc', 'TCP', 'grpc', 'http');
  public static readonly HTTP = new Protocol('http', 'TCP', 'http', 'http');
  public static readonly HTTPS = new Protocol('https', 'TCP', 'https', 'https');
  /** Any other stream; no `appProtocol` is printed. */
  public static readonly TCP = new Protocol('tcp', 'TCP', '', 'tcp');
  /** Datagrams; no `appProtocol` is printed. */
  public static readonly UDP = new Protocol('udp', 'UDP', '', 'udp');

  private constructor(
    /** The name used in drawings and documents. */
    public readonly name: string,
    /** `TCP` or `UDP`, as in a ServicePort's `protocol`. */
    public readonly transport: string,
    /** The ServicePort's `appProtocol`; empty when none applies. */
    public readonly appProtocol: string,
    /** The scheme of a URL to such an endpoint. */
    public readonly scheme: string,
  ) {}
}

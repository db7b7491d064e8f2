import { Duration } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { EndpointOptions } from './endpoint';

/** When and how often a probe runs; the defaults are Kubernetes' own. */
export interface ProbeTiming {
  /** @default Duration.seconds(0) */
  readonly initialDelay?: Duration;
  /** @default Duration.seconds(10) */
  readonly period?: Duration;
  /** @default Duration.seconds(1) */
  readonly timeout?: Duration;
  /** @default 3 */
  readonly failureThreshold?: number;
}

/**
 * A liveness, readiness or startup probe.
 *
 * @see https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 */
export class Probe {
  /**
   * GET of `path` on the port of `endpoint`; the kubelet needs no NetworkPolicy for it.
   * @param endpoint the endpoint or its options: a container is made before its endpoints
   */
  public static http(endpoint: EndpointOptions, path: string, timing: ProbeTiming = {}): Probe {
    const scheme = endpoint.protocol.scheme === 'https' ? 'HTTPS' : undefined;
    return new Probe({ httpGet: { path, port: k8s.IntOrString.fromString(endpoint.name), scheme } }, timing);
  }

  /** A TCP connection to the port of `endpoint`. */
  public static tcp(endpoint: EndpointOptions, timing: ProbeTiming = {}): Probe {
    return new Probe({ tcpSocket: { port: k8s.IntOrString.fromString(endpoint.name) } }, timing);
  }

  /** A command inside the container; exit code 0 is healthy. */
  public static exec(command: string[], timing: ProbeTiming = {}): Probe {
    return new Probe({ exec: { command: [...command] } }, timing);
  }

  private constructor(
    private readonly handler: k8s.Probe,
    private readonly timing: ProbeTiming,
  ) {}

  /** @internal */
  public _toKube(): k8s.Probe {
    const { initialDelay, period, timeout, failureThreshold } = this.timing;
    return {
      ...this.handler,
      initialDelaySeconds: initialDelay?.toSeconds(),
      periodSeconds: (period ?? Duration.seconds(10)).toSeconds(),
      timeoutSeconds: (timeout ?? Duration.seconds(1)).toSeconds(),
      failureThreshold: failureThreshold ?? 3,
    };
  }
}

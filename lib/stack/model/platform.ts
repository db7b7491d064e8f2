import type { Construct } from 'constructs';

/** Which kind of network policies is printed. */
export class NetworkPolicyFlavour {
  /** `networking.k8s.io/v1`; kubelet probes need no rule there. */
  public static readonly KUBERNETES = new NetworkPolicyFlavour('kubernetes');
  /** No policies: the platform writes its own. */
  public static readonly NONE = new NetworkPolicyFlavour('none');

  private constructor(public readonly name: string) {}
}

/** Facts about the cluster that wiring depends on. */
export interface PlatformProps {
  /** @default 'cluster.local' */
  readonly clusterDomain?: string;
  /** @default NetworkPolicyFlavour.KUBERNETES */
  readonly networkPolicies?: NetworkPolicyFlavour;
  /**
   * Where the API server is reached; it cannot be selected by pod.
   * @default '0.0.0.0/0' - any address, on the API server's ports only
   */
  readonly apiServerCidr?: string;
  /**
   * The ports of the API server: that of its Service and that of its endpoints, as policies act after address translation.
   * @default [443, 6443]
   */
  readonly apiServerPorts?: number[];
  /**
   * Where the kubelets are reached (cAdvisor metrics).
   * @default '0.0.0.0/0' - any address, on port 10250 only
   */
  readonly nodeCidr?: string;
  /**
   * Pods that serve DNS, by label, in any namespace.
   * @default - any destination on port 53: NodeLocal DNS has no pod to select
   */
  readonly dnsPodLabels?: { [key: string]: string };
}

const PLATFORM = Symbol.for('otlp-stack.platform');

/** The cluster that a tree of constructs is printed for; the nearest one above a construct counts. */
export class Platform {
  /** The platform that applies at `scope`; one with all defaults when none was set. */
  public static of(scope: Construct): Platform {
    const owner = [...scope.node.scopes].reverse().find((construct) => PLATFORM in construct);
    return owner ? (owner as unknown as { [PLATFORM]: Platform })[PLATFORM] : new Platform();
  }

  /** Makes `platform` apply to everything below `scope`. */
  public static set(scope: Construct, platform: Platform): void {
    Object.defineProperty(scope, PLATFORM, { value: platform, enumerable: false, configurable: true });
  }

  public readonly clusterDomain: string;
  public readonly networkPolicies: NetworkPolicyFlavour;
  public readonly apiServerCidr: string;
  public readonly nodeCidr: string;
  private readonly ports: number[];
  private readonly dnsLabels: { [key: string]: string } | undefined;

  constructor(props: PlatformProps = {}) {
    this.clusterDomain = props.clusterDomain ?? 'cluster.local';
    this.networkPolicies = props.networkPolicies ?? NetworkPolicyFlavour.KUBERNETES;
    this.apiServerCidr = props.apiServerCidr ?? ANYWHERE;
    this.nodeCidr = props.nodeCidr ?? ANYWHERE;
    this.ports = [...(props.apiServerPorts ?? [443, 6443])];
    this.dnsLabels = props.dnsPodLabels && { ...props.dnsPodLabels };
  }

  public get apiServerPorts(): number[] {
    return [...this.ports];
  }

  public get dnsPodLabels(): { [key: string]: string } | undefined {
    return this.dnsLabels && { ...this.dnsLabels };
  }
}

export const ANYWHERE = '0.0.0.0/0';

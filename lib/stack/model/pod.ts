import type { Duration } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Container } from './container';
import type { Volume } from './volume';
import { unlessEmpty } from './yaml';

/** A taint that the pods tolerate. */
export interface Toleration {
  /** @default - every key */
  readonly key?: string;
  /** @default - any value */
  readonly value?: string;
  /** @default - every effect */
  readonly effect?: string;
}

/** How the pods of a component are placed and run; shared by every kind of workload. */
export interface PodOptions {
  /** uid, gid and fsGroup of every container. @default 1000 */
  readonly userId?: number;
  /**
   * Group of the files in mounted volumes.
   * @default - the userId
   */
  readonly fsGroup?: number;
  /**
   * Run containers as root; only in a namespace that allows it.
   * @default false
   */
  readonly root?: boolean;
  /**
   * Prefer different nodes for the replicas (weight 100, by hostname).
   * @default true for Deployments and StatefulSets
   */
  readonly antiAffinity?: boolean;
  /**
   * Spread the replicas evenly over zones, as far as the cluster has any.
   * @default false
   */
  readonly spreadOverZones?: boolean;
  /** @default [] */
  readonly tolerations?: Toleration[];
  /** @default {} */
  readonly nodeSelector?: { [key: string]: string };
  /**
   * `ndots` of the resolver. With 2, `name.namespace.svc.cluster.local` is asked for once instead of once per search domain.
   * @default 2
   */
  readonly dnsNdots?: number;
  /** @default Duration.seconds(30) */
  readonly terminationGracePeriod?: Duration;
  /** @default {} */
  readonly podAnnotations?: { [key: string]: string };
  /** @default - none */
  readonly priorityClassName?: string;
  /**
   * Where endpoints listen instead, by their name: `{ 'otlp-grpc': 14317 }`. Everything that names the port follows.
   * @default {}
   */
  readonly ports?: { [endpoint: string]: number };
}

export interface PodParts {
  readonly serviceAccountName: string;
  readonly mountToken: boolean;
  readonly containers: Container[];
  readonly initContainers: Container[];
  readonly nativeSidecars: Container[];
  readonly volumes: Volume[];
  readonly selector: { [key: string]: string };
  readonly spread: boolean;
  readonly restartPolicy?: string;
}

/** The pod spec; passes Pod Security `restricted` unless `options.root` or a host path says otherwise. */
export function podSpec(options: PodOptions, parts: PodParts): k8s.PodSpec {
  const user = options.userId ?? 1000;
  return {
    serviceAccountName: parts.serviceAccountName,
    automountServiceAccountToken: parts.mountToken,
    // Service links add one set of environment variables per Service of the namespace; `OTLP__`-like prefixes could collide.
    enableServiceLinks: false,
    securityContext: options.root
      ? { seccompProfile: { type: 'RuntimeDefault' } }
      : {
          runAsNonRoot: true,
          runAsUser: user,
          runAsGroup: user,
          fsGroup: options.fsGroup ?? user,
          seccompProfile: { type: 'RuntimeDefault' },
        },
    initContainers: unlessEmpty([
      ...parts.initContainers.map((container) => container._toKube()),
      // Native sidecars start before the application and end after it (KEP-753); a startup probe gates the application's start.
      ...parts.nativeSidecars.map((container) => ({ ...container._toKube(), restartPolicy: 'Always' })),
    ]),
    containers: parts.containers.map((container) => container._toKube()),
    volumes: unlessEmpty(parts.volumes.map((volume) => volume._toKube())),
    affinity: (options.antiAffinity ?? parts.spread) ? preferOtherNodes(parts.selector) : undefined,
    topologySpreadConstraints: options.spreadOverZones ? [spreadOverZones(parts.selector)] : undefined,
    tolerations: unlessEmpty(
      (options.tolerations ?? []).map((toleration) => ({
        key: toleration.key,
        operator: toleration.value === undefined ? 'Exists' : 'Equal',
        value: toleration.value,
        effect: toleration.effect,
      })),
    ),
    nodeSelector: options.nodeSelector && Object.keys(options.nodeSelector).length > 0 ? options.nodeSelector : undefined,
    dnsConfig: { options: [{ name: 'ndots', value: String(options.dnsNdots ?? 2) }] },
    terminationGracePeriodSeconds: options.terminationGracePeriod?.toSeconds() ?? 30,
    priorityClassName: options.priorityClassName,
    restartPolicy: parts.restartPolicy,
  };
}

function preferOtherNodes(selector: { [key: string]: string }): k8s.Affinity {
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: selector } } },
      ],
    },
  };
}

function spreadOverZones(selector: { [key: string]: string }): k8s.TopologySpreadConstraint {
  return {
    maxSkew: 1,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: selector },
  };
}

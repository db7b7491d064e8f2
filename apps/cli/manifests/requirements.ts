import type { Snapshot } from 'otlp-stack-check';
import { type SecretReference, secretReferences } from './secret-references.ts';

/** API groups that no Kubernetes server has by itself, and who brings them. */
const PROVIDERS: { readonly [group: string]: string } = {
  'keda.sh': 'KEDA 2.21 (keda.sh/docs/2.21/deploy)',
  'monitoring.coreos.com': 'the Prometheus operator',
  'cert-manager.io': 'cert-manager',
};

/** Groups of the API server itself; others below k8s.io (gateway.networking, snapshot.storage) are CRDs like any other. */
const BUILT_IN = new Set([
  ...['', 'apps', 'autoscaling', 'batch', 'policy'],
  ...['admissionregistration', 'apiextensions', 'apiregistration', 'authentication', 'authorization', 'certificates', 'coordination'].map(
    k8s,
  ),
  ...['discovery', 'events', 'flowcontrol.apiserver', 'networking', 'node', 'rbac.authorization', 'resource', 'scheduling', 'storage'].map(
    k8s,
  ),
]);

function k8s(group: string): string {
  return `${group}.k8s.io`;
}

/** Our own images: built from this repository, not pulled from somewhere. */
const OWN_IMAGES = ['agent', 'sample-service'];

export interface CrdRequirement {
  readonly group: string;
  readonly kind: string;
  readonly provider: string;
  readonly usedBy: string[];
}

export interface ImageRequirement {
  readonly image: string;
  /** To be built by the user. */
  readonly own: boolean;
}

export interface VolumeClaimRequirement {
  readonly workload: string;
  readonly name: string;
  readonly size: string;
  readonly replicas: number;
}

/** What the cluster must have before the manifests are applied. */
export interface Requirements {
  readonly kubernetes: string;
  readonly kubernetesReason: string;
  readonly crds: CrdRequirement[];
  readonly secrets: SecretReference[];
  readonly images: ImageRequirement[];
  readonly volumeClaims: VolumeClaimRequirement[];
}

export function requirementsOf(snapshot: Snapshot): Requirements {
  const nativeSidecars = snapshot.workloads.some(({ containers, podSpec }) => {
    const init = (podSpec.initContainers as { restartPolicy?: string }[] | undefined) ?? [];
    return containers.length > 0 && init.some(({ restartPolicy }) => restartPolicy === 'Always');
  });
  return {
    kubernetes: nativeSidecars ? '1.29' : '1.27',
    kubernetesReason: nativeSidecars
      ? 'native sidecars (restartPolicy: Always on init containers)'
      : 'HorizontalPodAutoscaler on container resources',
    crds: crds(snapshot),
    secrets: secretReferences(snapshot),
    images: images(snapshot),
    volumeClaims: volumeClaims(snapshot),
  };
}

function crds(snapshot: Snapshot): CrdRequirement[] {
  const found = new Map<string, CrdRequirement>();
  for (const { apiVersion, kind, namespace, name } of snapshot.objects) {
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
    if (!BUILT_IN.has(group)) {
      const crd = found.get(`${group}/${kind}`) ?? { group, kind, provider: PROVIDERS[group] ?? 'unknown to otlp-stack', usedBy: [] };
      crd.usedBy.push(`${namespace}/${name}`);
      found.set(`${group}/${kind}`, crd);
    }
  }
  return [...found.values()];
}

function images(snapshot: Snapshot): ImageRequirement[] {
  const all = new Set(snapshot.workloads.flatMap(({ containers }) => containers.map(({ image }) => image)));
  return [...all].sort().map((image) => ({ image, own: OWN_IMAGES.some((name) => image.includes(`/otlp-stack/${name}:`)) }));
}

interface ClaimTemplate {
  readonly metadata?: { readonly name?: string };
  readonly spec?: { readonly resources?: { readonly requests?: { readonly storage?: string } } };
}

function volumeClaims(snapshot: Snapshot): VolumeClaimRequirement[] {
  return snapshot.workloads.flatMap(({ object }) => {
    const spec = object.manifest.spec as { volumeClaimTemplates?: ClaimTemplate[]; replicas?: number } | undefined;
    return (spec?.volumeClaimTemplates ?? []).map(({ metadata, spec: claim }) => ({
      workload: `${object.namespace}/${object.name}`,
      name: metadata?.name ?? '',
      size: claim?.resources?.requests?.storage ?? '',
      replicas: spec?.replicas ?? 1,
    }));
  });
}

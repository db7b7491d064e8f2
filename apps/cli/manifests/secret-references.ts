import type { Snapshot, Workload } from 'otlp-stack-check';

/** Marks workloads whose Secrets come from elsewhere (an external secrets operator, a person): comma-separated names. */
export const EXTERNAL = 'otlp-stack.dev/external';

/** A Secret that pods name. */
export interface SecretReference {
  readonly namespace: string;
  readonly name: string;
  /** Empty where pods take it as a whole: its keys are not in the manifests. */
  readonly keys: string[];
  /** Workloads that name it. */
  readonly usedBy: string[];
  /** DNS names under which these workloads are reached: for certificates. */
  readonly dnsNames: string[];
  readonly state: 'missing' | 'printed' | 'external';
}

interface Mention {
  readonly name: string;
  /** Undefined where the pod takes all of the Secret. */
  readonly key?: string | undefined;
}

/** Every Secret that a workload names, in the order of the manifests. */
export function secretReferences(snapshot: Snapshot): SecretReference[] {
  const found = new Map<string, SecretReference>();
  for (const workload of snapshot.workloads) {
    const external = names(workload.object.annotations[EXTERNAL]);
    for (const { name, key } of mentions(workload)) {
      const id = `${workload.namespace}/${name}`;
      const reference: SecretReference = found.get(id) ?? {
        namespace: workload.namespace,
        name,
        keys: [],
        usedBy: [],
        dnsNames: [],
        state: isPrinted(snapshot, workload.namespace, name) ? 'printed' : external.includes(name) ? 'external' : 'missing',
      };
      found.set(id, reference);
      if (key !== undefined) {
        pushNew(reference.keys, key);
      }
      pushNew(reference.usedBy, `${workload.object.kind}/${workload.name}`);
      for (const dnsName of dnsNames(snapshot, workload)) {
        pushNew(reference.dnsNames, dnsName);
      }
    }
  }
  return [...found.values()];
}

interface EnvEntry {
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name?: string; readonly key?: string } };
}

interface EnvFromEntry {
  readonly secretRef?: { readonly name?: string };
}

interface SecretSource {
  /** In a volume. */
  readonly secretName?: string;
  /** In a projected volume. */
  readonly name?: string;
  readonly items?: readonly { readonly key: string }[];
}

interface PodVolume {
  readonly secret?: SecretSource;
  readonly projected?: { readonly sources?: readonly { readonly secret?: SecretSource }[] };
}

function mentions({ containers, podSpec }: Workload): Mention[] {
  const variables = containers.flatMap(({ spec }) => (spec.env as EnvEntry[] | undefined) ?? []);
  const variableSets = containers.flatMap(({ spec }) => (spec.envFrom as EnvFromEntry[] | undefined) ?? []);
  const volumes = (podSpec.volumes as PodVolume[] | undefined) ?? [];
  const sources = volumes.flatMap(({ secret, projected }) => [secret, ...(projected?.sources ?? []).map((source) => source.secret)]);
  const pullSecrets = (podSpec.imagePullSecrets as { name?: string }[] | undefined) ?? [];
  return [
    ...variables.flatMap(({ valueFrom }) => named(valueFrom?.secretKeyRef?.name, valueFrom?.secretKeyRef?.key)),
    ...variableSets.flatMap(({ secretRef }) => named(secretRef?.name)),
    ...sources.flatMap((source) => {
      const name = source?.secretName ?? source?.name;
      return source?.items ? source.items.flatMap(({ key }) => named(name, key)) : named(name);
    }),
    ...pullSecrets.flatMap(({ name }) => named(name)),
  ];
}

function named(name: string | undefined, key?: string): Mention[] {
  return name === undefined ? [] : [{ name, key }];
}

function isPrinted(snapshot: Snapshot, namespace: string, name: string): boolean {
  return snapshot.objects.some((object) => object.kind === 'Secret' && object.namespace === namespace && object.name === name);
}

/** The Services that select the workload's pods, each with its short and its full name; headless ones with a wildcard for the pods. */
function dnsNames(snapshot: Snapshot, workload: Workload): string[] {
  return snapshot.services
    .filter(({ namespace, selector }) => namespace === workload.namespace && selects(selector, workload.podLabels))
    .flatMap(({ name, namespace }) => {
      const full = `${name}.${namespace}.svc`;
      return [name, full, `*.${full}`, `${full}.cluster.local`, `*.${full}.cluster.local`];
    });
}

function selects(selector: { readonly [key: string]: string } | undefined, labels: { readonly [key: string]: string }): boolean {
  const pairs = Object.entries(selector ?? {});
  return pairs.length > 0 && pairs.every(([key, value]) => labels[key] === value);
}

function names(annotation: string | undefined): string[] {
  return (annotation ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function pushNew(list: string[], item: string): void {
  if (!list.includes(item)) {
    list.push(item);
  }
}

import type { Snapshot, Workload } from 'otlp-stack-check';

/** Marks workloads whose Secrets come from elsewhere (an external secrets operator, a person): comma-separated names. */
export const EXTERNAL = 'otlp-stack.dev/external';

/** A Secret that pods name. */
export interface SecretReference {
  readonly namespace: string;
  readonly name: string;
  readonly keys: string[];
  /** Workloads that name it. */
  readonly usedBy: string[];
  /** DNS names under which these workloads are reached: for certificates. */
  readonly dnsNames: string[];
  readonly state: 'missing' | 'printed' | 'external';
}

interface Mention {
  readonly name: string;
  readonly key: string;
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
      pushNew(reference.keys, key);
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

interface PodVolume {
  readonly secret?: { readonly secretName?: string; readonly items?: readonly { readonly key: string }[] };
}

function mentions(workload: Workload): Mention[] {
  const variables = workload.containers.flatMap(({ spec }) => (spec.env as EnvEntry[] | undefined) ?? []);
  const volumes = (workload.podSpec.volumes as PodVolume[] | undefined) ?? [];
  return [
    ...variables.flatMap(({ valueFrom }) => {
      const reference = valueFrom?.secretKeyRef;
      return reference?.name && reference.key ? [{ name: reference.name, key: reference.key }] : [];
    }),
    ...volumes.flatMap(({ secret }) => (secret?.items ?? []).map(({ key }) => ({ name: secret?.secretName ?? '', key }))),
  ];
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

/**
 * The real lane runs what was printed. Where a cluster and one machine differ, a printed file is changed, and only through this list:
 * docs/reference/support.md shows it (`overridesTable`), and a change that finds nothing to change is an error, so that the list cannot
 * go stale. Discovery and the printed relabelling of Prometheus are never replaced.
 */
export interface Override {
  readonly id: OverrideId;
  /** Which printed places it changes. */
  readonly what: string;
  /** Why the printed value cannot hold outside of a cluster. */
  readonly why: string;
}

export type OverrideId =
  | 'listen-address'
  | 'peer-address'
  | 'file-path'
  | 'credentials'
  | 'api-server'
  | 'k8s-attributes-auth'
  | 'exporter-without-binary'
  | 'elastic-only'
  | 'pod-address'
  | 'pod-environment'
  | 'intervals';

/** Every difference between a printed file and the file that a real program reads in these tests. */
export const OVERRIDES: readonly Override[] = [
  {
    id: 'listen-address',
    what: 'the address and port that a program listens on',
    why: 'all programs share one machine here; in a pod each has an address of its own',
  },
  {
    id: 'peer-address',
    what: 'the address of another program, in a configuration or an address of it',
    why: "names of Services need a cluster's DNS",
  },
  {
    id: 'file-path',
    what: 'folders and files that a pod mounts (storage, rules, templates, certificates)',
    why: 'a test may write only into its own temporary folder',
  },
  {
    id: 'credentials',
    what: 'a secret given by value, or by the file of a mounted Secret',
    why: 'Secrets are referenced by name and never printed; where the stand-in has no security they are removed',
  },
  {
    id: 'api-server',
    what: '`kubeconfig_file` in each `kubernetes_sd_configs` of Prometheus, `--kubeconfig` of kube-state-metrics',
    why: 'outside of a pod there is no mounted token; the kubeconfig holds a token of the printed ServiceAccount, so its RBAC decides',
  },
  {
    id: 'k8s-attributes-auth',
    what: '`auth_type: kubeConfig` of the k8s_attributes processor',
    why: 'as above: the printed `serviceAccount` needs a pod',
  },
  {
    id: 'exporter-without-binary',
    what: "the gateway's elasticsearch exporter, replaced by `debug` in its pipelines",
    why: 'that exporter cannot be built from the Go module proxy; everything around it stays as printed',
  },
  {
    id: 'elastic-only',
    what: "the lifecycle policy's name and the `flattened` type in the index template of the logs",
    why: 'Elasticsearch cannot run here; OpenSearch, which stands in, has no ILM and calls the type `flat_object`',
  },
  {
    id: 'pod-address',
    what: 'one relabelling rule per target, appended to the printed ones of its job',
    why: 'a pod that kwok runs has an address that nothing listens on; the rule maps it to the port of the real program',
  },
  {
    id: 'pod-environment',
    what: 'variables that the kubelet sets (pod name, pod address, node name)',
    why: 'there is no kubelet; the values are those of a pod of the API server or 127.0.0.1',
  },
  {
    id: 'intervals',
    what: 'scrape interval, evaluation interval and `for`, through props of the stack and not in the printed file',
    why: 'a test cannot wait five minutes for an alert',
  },
];

/** One application of an override to one document. */
export type Change =
  /** Replaces an address wherever it stands: alone, inside of a URL, or as neighbouring `host` and `port` keys. */
  | { readonly id: 'listen-address' | 'peer-address'; readonly from: string; readonly to: string }
  /** Replaces a path and everything below it. */
  | { readonly id: 'file-path'; readonly from: string; readonly to: string }
  /** Sets the value at a place, or removes it where `to` is undefined. */
  | { readonly id: 'credentials' | 'elastic-only'; readonly at: readonly (string | number)[]; readonly to: unknown }
  | { readonly id: 'api-server'; readonly kubeconfig: string }
  | { readonly id: 'k8s-attributes-auth' }
  /** Replaces the exporter of that name, as in `elasticsearch/logs`. */
  | { readonly id: 'exporter-without-binary'; readonly exporter: string }
  /** Maps the address that a job discovers to one on this machine. */
  | { readonly id: 'pod-address'; readonly job: string; readonly from: string; readonly to: string };

/**
 * A copy of a printed document (the parsed YAML) with the changes.
 * @throws Error when a change finds nothing to change
 */
export function applyOverrides<T>(printed: T, changes: readonly Change[]): T {
  return changes.reduce<unknown>((document, change) => {
    const [changed, count] = apply(document, change);
    if (count === 0) throw new Error(`override '${change.id}' found nothing to change: ${JSON.stringify(change)}`);
    return changed;
  }, structuredClone(printed)) as T;
}

/** The list as a table in Markdown, for docs/reference/support.md. */
export function overridesTable(): string {
  const rows = OVERRIDES.map(({ id, what, why }) => `| ${id} | ${what} | ${why} |`);
  return ['| override | what it changes | why |', '| --- | --- | --- |', ...rows].join('\n');
}

function apply(document: unknown, change: Change): [unknown, number] {
  switch (change.id) {
    case 'listen-address':
    case 'peer-address':
      return replaceAddress(document, change.from, change.to);
    case 'file-path':
      return replaceText(document, new RegExp(`(?<![\\w/.-])${literal(change.from)}(?=/|$|[\\s"':,])`, 'g'), change.to);
    case 'credentials':
    case 'elastic-only':
      return setAt(document, change.at, change.to);
    case 'api-server':
      return editEach(document, 'kubernetes_sd_configs', (sd) =>
        Array.isArray(sd) ? sd.map((each: object) => ({ ...each, kubeconfig_file: change.kubeconfig })) : undefined,
      );
    case 'k8s-attributes-auth':
      return editEach(document, /^k8s_?attributes(\/.*)?$/, (processor) =>
        isObject(processor) ? { ...processor, auth_type: 'kubeConfig' } : undefined,
      );
    case 'exporter-without-binary':
      return replaceExporter(document, change.exporter);
    case 'pod-address':
      return appendRelabelling(document, change);
  }
}

function replaceAddress(document: unknown, from: string, to: string): [unknown, number] {
  const [replaced, texts] = replaceText(document, new RegExp(`(?<![\\w.-])${literal(from)}(?![\\w.-])`, 'g'), to);
  const [host, port] = splitAddress(from);
  const [newHost, newPort] = splitAddress(to);
  let pairs = 0;
  const edited = walk(replaced, (value) => {
    if (!isObject(value) || value.host !== host || String(value.port) !== port) return value;
    pairs += 1;
    return { ...value, host: newHost, port: Number(newPort) };
  });
  return [edited, texts + pairs];
}

function replaceText(document: unknown, pattern: RegExp, to: string): [unknown, number] {
  let count = 0;
  const changed = walk(document, (value) => {
    if (typeof value !== 'string') return value;
    return value.replace(pattern, () => {
      count += 1;
      return to;
    });
  });
  return [changed, count];
}

function setAt(document: unknown, at: readonly (string | number)[], to: unknown): [unknown, number] {
  const last = at.at(-1);
  let parent = document;
  for (const key of at.slice(0, -1)) parent = (parent as { [key: string | number]: unknown } | undefined)?.[key];
  if (last === undefined || typeof parent !== 'object' || parent === null || !(last in parent)) return [document, 0];
  const target = parent as { [key: string | number]: unknown };
  if (to === undefined) delete target[last];
  else target[last] = to;
  return [document, 1];
}

function editEach(document: unknown, key: string | RegExp, edit: (value: unknown) => unknown): [unknown, number] {
  let count = 0;
  const changed = walk(document, (value) => {
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([name, each]) => {
      const edited = (typeof key === 'string' ? name === key : key.test(name)) ? edit(each) : undefined;
      if (edited === undefined) return [name, each] as const;
      count += 1;
      return [name, edited] as const;
    });
    return Object.fromEntries(entries);
  });
  return [changed, count];
}

/** The type is the first part of a component's name, so pipelines must name the stand-in. */
function replaceExporter(document: unknown, exporter: string): [unknown, number] {
  const config = document as {
    exporters?: { [name: string]: unknown };
    service?: { pipelines?: { [name: string]: { exporters?: string[] } } };
  };
  if (config.exporters?.[exporter] === undefined) return [document, 0];
  const standIn = `debug/${exporter.replace('/', '-')}`;
  delete config.exporters[exporter];
  config.exporters[standIn] = {};
  for (const pipeline of Object.values(config.service?.pipelines ?? {})) {
    pipeline.exporters = pipeline.exporters?.map((name) => (name === exporter ? standIn : name)) ?? [];
  }
  return [config, 1];
}

function appendRelabelling(document: unknown, change: Extract<Change, { id: 'pod-address' }>): [unknown, number] {
  const jobs = (document as { scrape_configs?: { job_name: string; relabel_configs?: object[] }[] }).scrape_configs ?? [];
  const job = jobs.find(({ job_name }) => job_name === change.job);
  if (job === undefined) return [document, 0];
  const rule = { source_labels: ['__address__'], regex: literal(change.from), target_label: '__address__', replacement: change.to };
  job.relabel_configs = [...(job.relabel_configs ?? []), rule];
  return [document, 1];
}

/** The tree with `edit` applied to every value, leaves first. */
function walk(value: unknown, edit: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return edit(value.map((each) => walk(each, edit)));
  if (isObject(value)) return edit(Object.fromEntries(Object.entries(value).map(([key, each]) => [key, walk(each, edit)])));
  return edit(value);
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function splitAddress(address: string): [string, string] {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? [address, ''] : [address.slice(0, colon), address.slice(colon + 1)];
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

import type { Container, Snapshot, Workload } from 'otlp-stack-check';
import { type Change, LOCAL } from './local.ts';
import { list, mapping } from './values.ts';

/** Stands for every value of a Secret: Secrets are referenced by name, never printed, and nothing here looks at them. */
const SECRET_PLACEHOLDER = 'rehearsal';

/**
 * The variables of a container as the kubelet would set them, in their order and with `$(NAME)` expanded; what only a node knows (the
 * address and the name of the pod) is that of this machine.
 *
 * @param localize what is done to every value that the manifest spells out
 */
export function containerEnvironment(
  snapshot: Snapshot,
  workload: Workload,
  container: Container,
  localize: (text: string) => string,
  changes: Change[],
): { [name: string]: string } {
  const environment: { [name: string]: string } = {};
  const where = `${container.name} variables`;
  for (const entry of list(container.spec.env).map(mapping)) {
    const name = String(entry.name);
    if (entry.valueFrom !== undefined) {
      const value = valueFrom(snapshot, workload, container, mapping(entry.valueFrom));
      if (value !== undefined) {
        environment[name] = value;
      }
      continue;
    }
    const printed = expand(String(entry.value ?? ''), environment);
    const local = localize(printed);
    if (local !== printed) {
      changes.push({ where, key: name, from: printed, to: local });
    }
    environment[name] = local;
  }
  return environment;
}

/**
 * NODE_OPTIONS without those that this Node does not know: it would refuse to start with them, and the printed ones are for the Node of
 * the images.
 */
export function withKnownNodeOptions(
  environment: { readonly [name: string]: string },
  where: string,
  changes: Change[],
): { [name: string]: string } {
  const printed = environment.NODE_OPTIONS;
  if (printed === undefined) {
    return { ...environment };
  }
  const known = printed.split(/\s+/).filter((option) => process.allowedNodeEnvironmentFlags.has(option.replace(/=.*/, '')));
  const local = known.join(' ');
  if (local !== printed) {
    changes.push({ where, key: 'NODE_OPTIONS', from: printed, to: local === '' ? '(none: unknown to this Node)' : local });
  }
  return { ...environment, NODE_OPTIONS: local };
}

/** The pod's name here: one that says what it is in every trace. */
export function podName(workload: Workload): string {
  return `${workload.name}-rehearsal`;
}

/** `$(NAME)` of variables that stand above; `$$` is a dollar. @see https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ */
function expand(text: string, environment: { readonly [name: string]: string }): string {
  return text.replaceAll(/\$\$|\$\(([^)]+)\)/g, (match, name: string | undefined) =>
    name === undefined ? '$' : (environment[name] ?? match),
  );
}

function valueFrom(
  snapshot: Snapshot,
  workload: Workload,
  container: Container,
  source: { readonly [key: string]: unknown },
): string | undefined {
  if (source.fieldRef !== undefined) {
    return field(workload, String(mapping(source.fieldRef).fieldPath));
  }
  if (source.secretKeyRef !== undefined) {
    return SECRET_PLACEHOLDER;
  }
  if (source.configMapKeyRef !== undefined) {
    const { name, key } = mapping(source.configMapKeyRef);
    const configMap = snapshot.objects.find(
      (object) => object.kind === 'ConfigMap' && object.namespace === workload.namespace && object.name === name,
    );
    const value = mapping(configMap?.manifest.data)[String(key)];
    return value === undefined ? undefined : String(value);
  }
  const { resource, containerName } = mapping(source.resourceFieldRef);
  const of = workload.containers.find((candidate) => candidate.name === containerName) ?? container;
  const [kind = '', name = ''] = String(resource).split('.');
  return quantity(mapping(mapping(of.spec.resources)[kind])[name]);
}

function field(workload: Workload, path: string): string {
  const label = /^metadata\.labels\['(.+)'\]$/.exec(path)?.[1];
  const fields: { readonly [path: string]: string | undefined } = {
    'metadata.name': podName(workload),
    'metadata.namespace': workload.namespace,
    'metadata.uid': '00000000-0000-4000-8000-000000000000',
    'spec.nodeName': 'this-machine',
    'spec.serviceAccountName': String(workload.podSpec.serviceAccountName ?? 'default'),
    'status.podIP': LOCAL,
    'status.hostIP': LOCAL,
  };
  return (label === undefined ? fields[path] : workload.podLabels[label]) ?? '';
}

/** The kubelet gives bytes, and whole CPUs rounded up. */
function quantity(value: unknown): string | undefined {
  const [, number, unit = ''] = /^([\d.]+)(m|[KMGT]i?)?$/.exec(String(value ?? '')) ?? [];
  if (number === undefined) {
    return undefined;
  }
  const binary = 1024 ** (['Ki', 'Mi', 'Gi', 'Ti'].indexOf(unit) + 1);
  const decimal = 1000 ** (['K', 'M', 'G', 'T'].indexOf(unit) + 1);
  return String(Math.ceil(unit === 'm' ? Number(number) / 1000 : Number(number) * binary * decimal));
}

import { asList, asObject, type Path } from '../read/json';
import type { Snapshot } from '../read/snapshot';
import { isIp, isLoopback, parseAddress } from './address';
import { configAddresses } from './config-addresses';
import { containerAddresses } from './container-addresses';
import type { AddressUse, Candidate } from './use';
import { fillIn, resolved } from './variables';
import { strings } from './walk';

/** Kinds whose operator connects to addresses in them. */
const SCALERS = new Set(['ScaledObject', 'ScaledJob']);
const NOTHING: ReadonlyMap<string, string> = new Map();

/** Every address that the manifests tell somebody to connect to, as far as it may lie in the cluster. */
export function addressUses(snapshot: Snapshot): AddressUse[] {
  return [...fromContainers(snapshot), ...fromConfigs(snapshot), ...fromScalers(snapshot)];
}

function fromContainers({ workloads, services }: Snapshot): AddressUse[] {
  const known = new Set(services.map(({ name }) => name));
  return workloads.flatMap((source) =>
    source.containers.flatMap((container) => {
      const environment = resolved(container.env);
      const use = { tree: source.object.tree, namespace: source.namespace, source };
      return containerAddresses(container).flatMap((candidate) =>
        accept(candidate, environment, known).map((found) => ({ ...found, ...use })),
      );
    }),
  );
}

function fromConfigs({ configs, services }: Snapshot): AddressUse[] {
  const known = new Set(services.map(({ name }) => name));
  return configs.flatMap((config) => {
    const candidates = configAddresses(config);
    const use = { tree: config.tree, namespace: config.carrier.namespace };
    if (config.mounts.length === 0)
      return candidates.flatMap((candidate) => accept(candidate, NOTHING, known).map((found) => ({ ...found, ...use })));
    return config.mounts.flatMap(({ workload, container }) => {
      const environment = resolved(container.env);
      return candidates.flatMap((candidate) =>
        accept(candidate, environment, known).map((found) => ({ ...found, ...use, source: workload })),
      );
    });
  });
}

/** KEDA reads its metrics from the address in a trigger's metadata. */
function fromScalers({ objects, services }: Snapshot): AddressUse[] {
  const known = new Set(services.map(({ name }) => name));
  return objects
    .filter(({ kind }) => SCALERS.has(kind))
    .flatMap((object) => {
      const path: Path = ['spec', 'triggers'];
      const triggers = asList(asObject(object.manifest.spec).triggers).map((trigger) => ({ metadata: asObject(trigger).metadata }));
      return strings(triggers, path).flatMap((candidate) =>
        accept(candidate, NOTHING, known).map((found) => ({ ...found, tree: object.tree, namespace: object.namespace, operator: 'keda' })),
      );
    });
}

/** What of the candidate is an address that a manifest can be held against. */
function accept(
  candidate: Candidate,
  environment: ReadonlyMap<string, string>,
  services: ReadonlySet<string>,
): Pick<AddressUse, 'address' | 'path'>[] {
  const text = fillIn(candidate.text, environment);
  const address = text === undefined ? undefined : parseAddress(text);
  if (address === undefined || (isIp(address) && !isLoopback(address))) return [];
  const spelledOut = /\.svc(\.cluster\.local)?$/.test(address.host);
  // `8080:http` and `warning:5` look like host:port; so without a scheme either the key or the name itself has to say so.
  const complete =
    address.scheme !== undefined || (address.port !== undefined && (candidate.keyed || services.has(address.host.split('.')[0] ?? '')));
  const bare =
    candidate.keyed && address.scheme === undefined && address.port === undefined && services.has(address.host.split('.')[0] ?? '');
  return spelledOut || complete || bare ? [{ address, path: candidate.path }] : [];
}

import { asList, asNumber, asObject, asString, asStrings } from './json';
import type { KubeObject } from './objects';

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  /** A number, or the name of a container port. */
  readonly targetPort: number | string;
  readonly protocol: string;
}

export interface Service {
  readonly object: KubeObject;
  readonly name: string;
  readonly namespace: string;
  /** Undefined: its endpoints are not found by labels. */
  readonly selector?: { readonly [label: string]: string };
  readonly ports: readonly ServicePort[];
  /** Its name leads to the pods themselves, so a port is that of the pod and targetPort plays no part. */
  readonly headless: boolean;
  /** The name is an alias of a name outside of the cluster. */
  readonly external: boolean;
}

/** The Service that an object describes, if it is one. */
export function serviceOf(object: KubeObject): Service | undefined {
  if (object.kind !== 'Service' || object.apiVersion !== 'v1') return undefined;
  const spec = asObject(object.manifest.spec);
  return {
    object,
    name: object.name,
    namespace: object.namespace,
    selector: Object.keys(asObject(spec.selector)).length > 0 ? asStrings(spec.selector) : undefined,
    ports: asList(spec.ports).map((entry) => {
      const port = asObject(entry);
      const number = asNumber(port.port) ?? 0;
      return {
        name: asString(port.name),
        port: number,
        targetPort: asNumber(port.targetPort) ?? asString(port.targetPort) ?? number,
        protocol: asString(port.protocol) ?? 'TCP',
      };
    }),
    headless: spec.clusterIP === 'None',
    external: spec.type === 'ExternalName',
  };
}

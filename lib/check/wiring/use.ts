import type { Path } from '../read/json';
import type { Tree } from '../read/tree';
import type { Workload } from '../read/workloads';
import type { Address } from './address';

/** An address in use: somebody is told to connect to it. */
export interface AddressUse {
  readonly address: Address;
  readonly tree: Tree;
  /** In the tree. */
  readonly path: Path;
  /** Short names are looked up from here. */
  readonly namespace: string;
  /** The pod that connects; undefined for a configuration that nothing mounts, and for what others run (KEDA). */
  readonly source?: Workload;
  /** The program outside of the manifests that connects, where it is none of the pods in them. */
  readonly operator?: string;
}

/** A string that may be an address, found where programs are told their addresses. */
export interface Candidate {
  readonly text: string;
  readonly path: Path;
  /** The key says that it is one (`endpoint`, `url`, `targets`): a short name without a scheme counts then. */
  readonly keyed: boolean;
}

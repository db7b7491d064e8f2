import type { Finding } from '../finding';
import type { Snapshot } from '../read/snapshot';

/** One thing that the printed files must agree on. */
export interface Rule {
  /** What findings and documents call it: kebab-case, never changed. */
  readonly id: string;
  readonly title: string;
  /** What goes wrong in the cluster when it is broken; for the documentation. */
  readonly why: string;
  /** Manifests that break the rule, and the same ones put right; the tests and the documentation use both. */
  readonly examples: { readonly failing: string; readonly passing: string };
  check(snapshot: Snapshot): Finding[];
}

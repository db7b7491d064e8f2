import type { IConstruct } from 'constructs';
import type { Component } from './component';
import { Endpoint, type IEndpoint, type PodEndpoint } from './endpoint';
import type { IPeer } from './peer';

/** One connection: who opens it, what it reaches, and why. */
export interface Edge {
  readonly from: IPeer;
  readonly to: IEndpoint;
  /** A few words for the drawing and for the policy's reader: `traces`, `scrape`, `queries`. */
  readonly purpose: string;
}

/** A /metrics on pods that the model does not own. */
export interface PodMetrics {
  readonly endpoint: PodEndpoint;
  /** The program in the catalogue, as in `otlp-agent`. */
  readonly program: string;
}

const TOPOLOGY = Symbol.for('otlp-stack.topology');

/**
 * Every component of one App and every connection between them. Services, policies, scrape jobs and the drawing are derived from
 * here at synth; nothing is typed a second time.
 */
export class Topology {
  /** The topology of the tree that `scope` belongs to. */
  public static of(scope: IConstruct): Topology {
    const root = scope.node.root as unknown as { [TOPOLOGY]?: Topology };
    if (!root[TOPOLOGY]) {
      Object.defineProperty(root, TOPOLOGY, { value: new Topology(), enumerable: false });
    }
    return root[TOPOLOGY] as Topology;
  }

  private readonly allComponents: Component[] = [];
  private readonly allEdges: Edge[] = [];
  private readonly completions: (() => void)[] = [];
  private readonly allPodMetrics: PodMetrics[] = [];
  private completing = false;

  private constructor() {}

  /** In the order of their construction. */
  public get components(): Component[] {
    return [...this.allComponents];
  }

  /** In the order of their wiring. */
  public get edges(): Edge[] {
    this.complete();
    return [...this.allEdges];
  }

  /** Every /metrics on pods that the model does not own. */
  public get podMetrics(): PodMetrics[] {
    return [...this.allPodMetrics];
  }

  /** Declares a /metrics on pods that the model does not own; Prometheus finds it there. */
  public addPodMetrics(metrics: PodMetrics): void {
    this.allPodMetrics.push(metrics);
  }

  /** Records that `from` opens connections to `to`; the same connection twice is recorded once. */
  public connect(from: IPeer, to: IEndpoint, purpose: string): void {
    if (!this.allEdges.some((edge) => edge.from === from && edge.to === to && edge.purpose === purpose)) {
      this.allEdges.push({ from, to, purpose });
    }
  }

  /** Connections that `peer` opens. */
  public edgesFrom(peer: IPeer): Edge[] {
    return this.edges.filter((edge) => edge.from === peer);
  }

  /** Connections that reach `component`. */
  public edgesTo(component: Component): Edge[] {
    return this.edges.filter((edge) => edge.to instanceof Endpoint && edge.to.component === component);
  }

  /** Runs before edges are read: connects what follows from the components that there are by then. @internal */
  public _completeWith(connect: () => void): void {
    this.completions.push(connect);
  }

  private complete(): void {
    if (this.completing) {
      return;
    }
    this.completing = true;
    for (const connect of this.completions) {
      connect();
    }
    this.completing = false;
  }

  /** @internal */
  public _add(component: Component): void {
    const twin = this.allComponents.find((other) => other.name === component.name && other.namespace === component.namespace);
    if (twin) {
      throw new Error(
        `${component.node.path}: component '${component.name}' in namespace '${component.namespace}' exists already at ${twin.node.path}: give one of them another name`,
      );
    }
    this.allComponents.push(component);
  }
}

/** The source of a connection: pods by label, a whole namespace, or anything. */
export interface IPeer {
  /** For drawings and error messages. */
  readonly peerName: string;
  /** The namespace of the source; empty for any. */
  readonly namespace: string;
  /** The labels of the pods; empty for every pod of the namespace. */
  podLabels(): { [key: string]: string };
}

/** Peers that are not components of the model. */
export class Peer implements IPeer {
  /** Every pod of one namespace: an operator that is a declared prerequisite, an ingress controller. */
  public static inNamespace(namespace: string, podLabels: { [key: string]: string } = {}): Peer {
    return new Peer(`namespace/${namespace}`, namespace, podLabels);
  }

  /** Anybody, inside or outside of the cluster. */
  public static anywhere(): Peer {
    return new Peer('anywhere', '', {});
  }

  private constructor(
    public readonly peerName: string,
    public readonly namespace: string,
    private readonly labels: { [key: string]: string },
  ) {}

  public podLabels(): { [key: string]: string } {
    return { ...this.labels };
  }
}

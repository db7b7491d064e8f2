import type { Component } from './component';
import type { IPeer } from './peer';
import type { Protocol } from './protocol';

/** How far an endpoint is published. */
export class Expose {
  /** On the component's Service. */
  public static readonly SERVICE = new Expose('service');
  /** On a headless Service: one DNS address per pod. */
  public static readonly HEADLESS = new Expose('headless');
  /** On the component's Service and on its headless Service. */
  public static readonly BOTH = new Expose('both');
  /** A container port without a Service: scraped or probed on the pod. */
  public static readonly POD = new Expose('pod');

  private constructor(public readonly name: string) {}

  public get onService(): boolean {
    return this === Expose.SERVICE || this === Expose.BOTH;
  }

  public get onHeadless(): boolean {
    return this === Expose.HEADLESS || this === Expose.BOTH;
  }
}

/** Something that can be connected to. */
export interface IEndpoint {
  /** `<protocol>-<what>`, at most 15 characters: the name of the container and Service port. */
  readonly name: string;
  readonly protocol: Protocol;
  /** A DNS name or an IP address. */
  readonly host: string;
  /** `host:port`, as a gRPC exporter wants it. */
  readonly address: string;
  /** `scheme://host:port/path`. */
  readonly url: string;
}

export interface EndpointOptions {
  /** At most 15 characters, `<protocol>-<what>`. */
  readonly name: string;
  readonly protocol: Protocol;
  /** The port on which the container listens. */
  readonly port: number;
  /**
   * The port of the Service.
   * @default - that of the container
   */
  readonly servicePort?: number;
  /** @default '' */
  readonly path?: string;
  /** @default Expose.SERVICE */
  readonly expose?: Expose;
}

const PORT_NAME = /^(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** A port of a component. Everything that must name it (Service, policy, exporter, scrape) is derived from this one object. */
export class Endpoint implements IEndpoint {
  public readonly name: string;
  public readonly protocol: Protocol;
  public readonly port: number;
  public readonly servicePort: number;
  public readonly path: string;
  public readonly expose: Expose;

  /** @internal */
  constructor(
    public readonly component: Component,
    options: EndpointOptions,
  ) {
    this.name = options.name;
    this.protocol = options.protocol;
    this.port = options.port;
    this.servicePort = options.servicePort ?? options.port;
    this.path = options.path ?? '';
    this.expose = options.expose ?? Expose.SERVICE;
    if (!PORT_NAME.test(this.name) || this.name.length > 15 || this.name.includes('--')) {
      throw new Error(
        `${component.node.path}: endpoint name '${this.name}' (${this.name.length} characters) must have at most 15 lower case letters, digits or '-', with a letter among them`,
      );
    }
    for (const [key, port] of [
      ['port', this.port],
      ['servicePort', this.servicePort],
    ] as const) {
      if (!Number.isInteger(port) || port < 1 || port > 65_535) {
        throw new Error(`${component.node.path}: endpoint '${this.name}': '${key}' must be between 1 and 65535, got ${port}`);
      }
    }
  }

  public get host(): string {
    if (this.expose === Expose.POD) {
      throw new Error(
        `${this.component.node.path}: endpoint '${this.name}' is on the pod only and has no DNS name: publish it with Expose.SERVICE or Expose.HEADLESS`,
      );
    }
    const service = this.expose.onService ? this.component.serviceName : this.component.headlessServiceName;
    return `${service}.${this.component.namespace}.svc.${this.component.platform.clusterDomain}`;
  }

  public get address(): string {
    return `${this.host}:${this.expose.onService ? this.servicePort : this.port}`;
  }

  public get url(): string {
    return `${this.protocol.scheme}://${this.address}${this.path}`;
  }

  /** The same endpoint on the loopback address: for containers of the same pod. */
  public get localUrl(): string {
    return `${this.protocol.scheme}://localhost:${this.port}${this.path}`;
  }
}

/** A port of pods that the model does not own: reached pod by pod, at the addresses that discovery finds. */
export class PodEndpoint implements IEndpoint {
  public readonly name: string;
  public readonly protocol: Protocol;
  public readonly port: number;
  public readonly path: string;

  constructor(
    /** The pods. */
    public readonly peer: IPeer,
    options: EndpointOptions,
  ) {
    this.name = options.name;
    this.protocol = options.protocol;
    this.port = options.port;
    this.path = options.path ?? '';
  }

  public get host(): string {
    throw new Error(`endpoint '${this.name}' of ${this.peer.peerName} is on pods without a Service and has no DNS name`);
  }

  public get address(): string {
    return `${this.host}:${this.port}`;
  }

  public get url(): string {
    return `${this.protocol.scheme}://${this.address}${this.path}`;
  }
}

export interface ExternalEndpointProps {
  readonly name: string;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  /** @default '' */
  readonly path?: string;
  /**
   * The addresses behind `host`, for the NetworkPolicy.
   * @default '0.0.0.0/0' - any address, on this port only
   */
  readonly cidr?: string;
  /**
   * The pods behind `host`, where somebody else deploys it into the same cluster: the policy names them instead of an address range.
   * @default - outside of the cluster
   */
  readonly pods?: IPeer;
}

/** A program that the model does not deploy: a managed Elasticsearch, a webhook. */
export class ExternalEndpoint implements IEndpoint {
  public readonly name: string;
  public readonly protocol: Protocol;
  public readonly host: string;
  public readonly port: number;
  public readonly path: string;
  public readonly cidr: string;
  public readonly pods?: IPeer;

  constructor(props: ExternalEndpointProps) {
    this.name = props.name;
    this.protocol = props.protocol;
    this.host = props.host;
    this.port = props.port;
    this.path = props.path ?? '';
    this.cidr = props.cidr ?? '0.0.0.0/0';
    this.pods = props.pods;
  }

  public get address(): string {
    return `${this.host}:${this.port}`;
  }

  public get url(): string {
    return `${this.protocol.scheme}://${this.address}${this.path}`;
  }
}

import { k8s } from 'cdk8s-plus-28';
import type { EndpointOptions } from './endpoint';
import type { Env } from './env';
import type { Image } from './images';
import type { Probe } from './probe';
import { checkResources, printSize, type Resources } from './quantities';
import type { Mount } from './volume';
import { unlessEmpty } from './yaml';

/** What a container may do beyond the strictest default. */
export interface ContainerSecurity {
  /** @default true */
  readonly readOnlyRootFilesystem?: boolean;
  /**
   * Run as root. Only a pod in a namespace that allows it may; the namespace says why.
   * @default false
   */
  readonly root?: boolean;
  /**
   * uid and gid of this container, where the pod's are somebody else's.
   * @default - the pod's
   */
  readonly userId?: number;
  /**
   * Capabilities kept after all were dropped.
   * @default []
   */
  readonly addCapabilities?: string[];
}

export interface ContainerProps {
  readonly name: string;
  readonly image: Image;
  readonly resources: Resources;
  /** @default - the image's entry point */
  readonly command?: string[];
  /** @default [] */
  readonly args?: string[];
  /** @default [] */
  readonly env?: Env[];
  /** @default - none */
  readonly liveness?: Probe;
  /** @default - none */
  readonly readiness?: Probe;
  /** @default - none */
  readonly startup?: Probe;
  /** @default [] */
  readonly mounts?: Mount[];
  /** @default - non-root, read-only root file system, every capability dropped */
  readonly security?: ContainerSecurity;
  /**
   * Seconds that the container sleeps before it gets SIGTERM, so that endpoints are withdrawn first.
   * @default 0
   */
  readonly preStopSleepSeconds?: number;
}

/**
 * One container of a pod. Its ports are the endpoints that were declared for it, nothing else.
 *
 * cdk8s-plus' containers are not used: they give every container a CPU request of a whole core unless told otherwise.
 */
export class Container {
  public readonly name: string;
  private readonly ports: EndpointOptions[] = [];
  private readonly env: Env[];
  private readonly mounts: Mount[];
  private readonly args: string[];

  constructor(private readonly props: ContainerProps) {
    this.name = props.name;
    this.env = [...(props.env ?? [])];
    this.mounts = [...(props.mounts ?? [])];
    this.args = [...(props.args ?? [])];
    checkResources(`container '${props.name}'`, props.resources);
  }

  public get image(): Image {
    return this.props.image;
  }

  public get resources(): Resources {
    return this.props.resources;
  }

  /** Adds a variable; one of the same name is replaced. */
  public addEnv(env: Env): void {
    const at = this.env.findIndex((present) => present.name === env.name);
    if (at === -1) {
      this.env.push(env);
    } else {
      this.env[at] = env;
    }
  }

  /** Adds a variable unless one of its name is there: what the container says itself counts. */
  public addEnvIfAbsent(env: Env): void {
    if (!this.env.some((present) => present.name === env.name)) {
      this.env.push(env);
    }
  }

  public addArgs(...args: string[]): void {
    this.args.push(...args);
  }

  public addMount(mount: Mount): void {
    const present = this.mounts.find((other) => other.path === mount.path);
    if (present) {
      throw new Error(
        `container '${this.name}': volumes '${present.volume.name}' and '${mount.volume.name}' are both mounted at ${mount.path}: choose another path`,
      );
    }
    this.mounts.push(mount);
  }

  /** @internal */
  public _addPort(endpoint: EndpointOptions): void {
    this.ports.push(endpoint);
  }

  /** @internal */
  public _mounts(): Mount[] {
    return [...this.mounts];
  }

  /** @internal */
  public _toKube(): k8s.Container {
    const { props } = this;
    const limits: { [key: string]: k8s.Quantity } = { memory: quantity(printSize(props.resources.memoryLimit)) };
    if (props.resources.cpuLimit) {
      limits.cpu = quantity(props.resources.cpuLimit.asString());
    }
    if (props.resources.ephemeralStorageLimit) {
      limits['ephemeral-storage'] = quantity(printSize(props.resources.ephemeralStorageLimit));
    }
    return {
      name: this.name,
      image: props.image.asString(),
      command: props.command,
      args: unlessEmpty(this.args),
      env: unlessEmpty(this.env.map((env) => env._toKube())),
      ports: unlessEmpty(
        this.ports.map((endpoint) => ({ name: endpoint.name, containerPort: endpoint.port, protocol: endpoint.protocol.transport })),
      ),
      resources: {
        requests: {
          cpu: quantity(props.resources.cpuRequest.asString()),
          memory: quantity(printSize(props.resources.memoryRequest)),
        },
        limits,
      },
      livenessProbe: props.liveness?._toKube(),
      readinessProbe: props.readiness?._toKube(),
      startupProbe: props.startup?._toKube(),
      lifecycle: props.preStopSleepSeconds ? { preStop: { exec: { command: ['sleep', String(props.preStopSleepSeconds)] } } } : undefined,
      securityContext: containerSecurityContext(props.security ?? {}),
      volumeMounts: unlessEmpty(
        this.mounts.map((mount) => ({
          name: mount.volume.name,
          mountPath: mount.path,
          subPath: mount.subPath,
          readOnly: (mount.readOnly ?? true) ? true : undefined,
        })),
      ),
    };
  }
}

/** Pod Security `restricted` and a read-only root, unless `security` takes something back. */
export function containerSecurityContext(security: ContainerSecurity): k8s.SecurityContext {
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: security.readOnlyRootFilesystem ?? true,
    capabilities: { drop: ['ALL'], add: security.addCapabilities?.length ? [...security.addCapabilities] : undefined },
    ...(security.root ? { runAsUser: 0, runAsNonRoot: false } : {}),
    ...(security.userId === undefined
      ? {}
      : { runAsUser: security.userId, runAsGroup: security.userId, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }),
  };
}

export function quantity(text: string): k8s.Quantity {
  return k8s.Quantity.fromString(text);
}

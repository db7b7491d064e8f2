import type { Size } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { printSize } from './quantities';

/** A volume of a pod. */
export class Volume {
  /** Scratch space that dies with the pod, at most `sizeLimit`. */
  public static emptyDir(name: string, sizeLimit: Size): Volume {
    return new Volume({ name, emptyDir: { sizeLimit: k8s.Quantity.fromString(printSize(sizeLimit)) } });
  }

  /** Every file of a ConfigMap. */
  public static configMap(name: string, configMapName: string): Volume {
    return new Volume({ name, configMap: { name: configMapName } });
  }

  /**
   * Named keys of a Secret in the same namespace, one file each, readable by the pod's group only.
   * The keys are named, not implied, so that `otlp-stack secrets` knows what to make.
   */
  public static secret(name: string, secretName: string, keys: string[]): Volume {
    return new Volume({ name, secret: { secretName, defaultMode: 0o440, items: keys.map((key) => ({ key, path: key })) } });
  }

  /** A directory of the node; pods with one do not pass Pod Security `baseline`. */
  public static hostPath(name: string, path: string, type = 'Directory'): Volume {
    return new Volume({ name, hostPath: { path, type } });
  }

  /** @internal The claim template of a StatefulSet: mounted, but not listed among the pod's volumes. */
  public static _claim(name: string): Volume {
    return new Volume({ name });
  }

  private constructor(private readonly source: k8s.Volume) {}

  public get name(): string {
    return this.source.name;
  }

  /** @internal */
  public _toKube(): k8s.Volume {
    return this.source;
  }
}

/** Where a volume appears in a container. */
export interface Mount {
  readonly volume: Volume;
  readonly path: string;
  /** @default true */
  readonly readOnly?: boolean;
  /** @default - the whole volume */
  readonly subPath?: string;
}

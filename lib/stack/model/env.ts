import type { k8s } from 'cdk8s-plus-28';

/** One environment variable of a container. */
export class Env {
  /** A fixed value; `$(OTHER)` refers to a variable that stands before it. */
  public static value(name: string, value: string): Env {
    return new Env({ name, value });
  }

  /** A field of the pod: `metadata.name`, `metadata.namespace`, `status.podIP`, `spec.nodeName` ... */
  public static field(name: string, fieldPath: string): Env {
    return new Env({ name, valueFrom: { fieldRef: { fieldPath } } });
  }

  /** One key of a Secret in the same namespace. The value itself is never known to the model. */
  public static secret(name: string, secretName: string, key: string): Env {
    return new Env({ name, valueFrom: { secretKeyRef: { name: secretName, key } } });
  }

  private constructor(private readonly source: k8s.EnvVar) {}

  public get name(): string {
    return this.source.name;
  }

  /** @internal */
  public _toKube(): k8s.EnvVar {
    return this.source;
  }
}

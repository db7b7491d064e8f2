import type { Size } from 'cdk8s';

/**
 * An amount of CPU, printed in millicores (`500m`) or whole cores (`2`).
 *
 * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#meaning-of-cpu
 */
export class Cpu {
  /** Thousandths of a core. */
  public static millis(amount: number): Cpu {
    return new Cpu(amount);
  }

  /** Whole cores; fractions are allowed down to a thousandth. */
  public static cores(amount: number): Cpu {
    return new Cpu(amount * 1000);
  }

  private constructor(private readonly amount: number) {
    if (!Number.isInteger(amount) || amount <= 0) {
      throw new Error(`CPU must be a positive whole number of millicores, got ${amount}m`);
    }
  }

  public toMillis(): number {
    return this.amount;
  }

  /** As Kubernetes prints it: `250m`, `2`. */
  public asString(): string {
    return this.amount % 1000 === 0 ? String(this.amount / 1000) : `${this.amount}m`;
  }
}

/**
 * What a container asks for and what it may use at most.
 *
 * @see https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
 */
export interface Resources {
  readonly cpuRequest: Cpu;
  readonly memoryRequest: Size;
  /** @default - no CPU limit */
  readonly cpuLimit?: Cpu;
  readonly memoryLimit: Size;
  /** @default - none */
  readonly ephemeralStorageLimit?: Size;
}

/** Throws when a request exceeds its limit; the API server would refuse the pod. */
export function checkResources(place: string, resources: Resources): void {
  const { cpuRequest, cpuLimit, memoryRequest, memoryLimit } = resources;
  if (cpuLimit && cpuRequest.toMillis() > cpuLimit.toMillis()) {
    throw new Error(
      `${place}: 'cpuRequest' (${cpuRequest.asString()}) must not exceed 'cpuLimit' (${cpuLimit.asString()}): lower the request or raise the limit`,
    );
  }
  if (memoryRequest.toMebibytes() > memoryLimit.toMebibytes()) {
    throw new Error(
      `${place}: 'memoryRequest' (${printSize(memoryRequest)}) must not exceed 'memoryLimit' (${printSize(memoryLimit)}): lower the request or raise the limit`,
    );
  }
}

/** `1Gi` rather than `1024Mi`: the largest unit that divides the size. */
export function printSize(size: Size): string {
  const mebibytes = size.toMebibytes();
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}

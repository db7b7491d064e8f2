import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { checkName, PART_OF } from './labels';

/**
 * A level of the Pod Security Standards.
 *
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/
 */
export class PodSecurity {
  public static readonly RESTRICTED = new PodSecurity('restricted');
  public static readonly BASELINE = new PodSecurity('baseline');
  public static readonly PRIVILEGED = new PodSecurity('privileged');

  private constructor(public readonly level: string) {}
}

export interface NamespaceProps {
  readonly name: string;
  /** @default PodSecurity.RESTRICTED */
  readonly podSecurity?: PodSecurity;
  /**
   * Why the level is below `restricted`; required then, and printed as the annotation `otlp-stack.dev/pod-security-reason`.
   * @default - none
   */
  readonly podSecurityReason?: string;
}

/** A namespace with its Pod Security level enforced. */
export class Namespace extends Construct {
  public readonly name: string;

  constructor(scope: Construct, id: string, props: NamespaceProps) {
    super(scope, id);
    checkName(this.node.path, props.name);
    this.name = props.name;
    const { level } = props.podSecurity ?? PodSecurity.RESTRICTED;
    if (level !== 'restricted' && !props.podSecurityReason) {
      throw new Error(`${this.node.path}: 'podSecurity' is '${level}', below 'restricted': say why in 'podSecurityReason'`);
    }
    new k8s.KubeNamespace(this, 'Resource', {
      metadata: {
        name: props.name,
        labels: {
          'app.kubernetes.io/part-of': PART_OF,
          'app.kubernetes.io/managed-by': 'cdk8s',
          'pod-security.kubernetes.io/enforce': level,
          'pod-security.kubernetes.io/audit': level,
          'pod-security.kubernetes.io/warn': level,
        },
        annotations: props.podSecurityReason ? { 'otlp-stack.dev/pod-security-reason': props.podSecurityReason } : undefined,
      },
    });
  }
}

/** The labels of a component's objects; selectors use only the frozen three. */
export interface ComponentLabels {
  /** `app.kubernetes.io/name` */
  readonly name: string;
  /** `app.kubernetes.io/instance` */
  readonly instance: string;
  /** `app.kubernetes.io/component` */
  readonly role: string;
  /** `app.kubernetes.io/version`; changes with an upgrade, therefore never in a selector */
  readonly version: string;
}

/**
 * The recommended labels.
 *
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
 */
export function commonLabels(labels: ComponentLabels): { [key: string]: string } {
  return {
    ...selectorLabels(labels),
    'app.kubernetes.io/version': labels.version,
    'app.kubernetes.io/part-of': PART_OF,
    'app.kubernetes.io/managed-by': 'cdk8s',
  };
}

/** Selectors are immutable in Kubernetes: nothing that an upgrade changes may stand here (Collector chart 0.110 learned it). */
export function selectorLabels(labels: ComponentLabels): { [key: string]: string } {
  return {
    'app.kubernetes.io/name': labels.name,
    'app.kubernetes.io/instance': labels.instance,
    'app.kubernetes.io/component': labels.role,
  };
}

export const PART_OF = 'otlp-stack';

const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Throws unless `name` is a DNS-1123 label that leaves `reserve` characters for suffixes within the 63 of RFC 1123. */
export function checkName(place: string, name: string, reserve = 0): void {
  const most = 63 - reserve;
  if (!DNS_LABEL.test(name) || name.length > most) {
    throw new Error(
      `${place}: name '${name}' must be a DNS label of at most ${most} characters (lower case letters, digits and '-', starting with a letter); it has ${name.length}`,
    );
  }
}

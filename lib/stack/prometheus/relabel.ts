/**
 * One step of `relabel_configs`: decides which discovered addresses are scraped, and with which labels.
 *
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 */
export class RelabelRule {
  /** Only addresses whose labels, joined by `;`, match. */
  public static keep(sources: string[], regex: string): RelabelRule {
    return new RelabelRule('keep', sources, regex);
  }

  /** Only addresses whose labels do not match. */
  public static drop(sources: string[], regex: string): RelabelRule {
    return new RelabelRule('drop', sources, regex);
  }

  /** Copies a label. */
  public static copy(source: string, target: string): RelabelRule {
    return new RelabelRule('', [source], '', target);
  }

  /** Sets a label to a fixed value. */
  public static set(target: string, value: string): RelabelRule {
    return new RelabelRule('', [], '', target, value);
  }

  /** Sets a label to what a match of other labels gives; `$1` is the first group. */
  public static replace(sources: string[], regex: string, target: string, replacement: string): RelabelRule {
    return new RelabelRule('', sources, regex, target, replacement);
  }

  private constructor(
    private readonly action: string,
    private readonly sources: string[],
    private readonly regex: string,
    private readonly target = '',
    private readonly replacement = '',
  ) {}

  /** As in prometheus.yml. @internal */
  public _render(): object {
    return {
      source_labels: this.sources.length > 0 ? [...this.sources] : undefined,
      action: this.action || undefined,
      regex: this.regex || undefined,
      target_label: this.target || undefined,
      replacement: this.replacement || undefined,
    };
  }

  /** As in a PodMonitor or ServiceMonitor. @internal */
  public _renderMonitor(): object {
    return {
      sourceLabels: this.sources.length > 0 ? [...this.sources] : undefined,
      action: this.action || undefined,
      regex: this.regex || undefined,
      targetLabel: this.target || undefined,
      replacement: this.replacement || undefined,
    };
  }
}

/** The name of a Kubernetes label as discovery spells it: `app.kubernetes.io/name` becomes `app_kubernetes_io_name`. */
export function discoveredLabel(label: string): string {
  return label.replace(/[^a-zA-Z0-9_]/g, '_');
}

/** A text as a regular expression that matches exactly it. */
export function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * How the samples of two queries find each other.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching
 */
export class Join {
  /** By exactly these labels. */
  public static on(...labels: string[]): Join {
    return new Join('on', labels, '', []);
  }

  /** By all labels but these. */
  public static ignoring(...labels: string[]): Join {
    return new Join('ignoring', labels, '', []);
  }

  private constructor(
    /** `on` or `ignoring`. */
    public readonly kind: string,
    private readonly keys: string[],
    /** `group_left`, `group_right` or empty. */
    public readonly group: string,
    private readonly include: string[],
  ) {}

  /** Many samples on the left belong to one on the right, which gives the labels in `include`. */
  public groupLeft(...include: string[]): Join {
    return new Join(this.kind, this.keys, 'group_left', include);
  }

  /** One sample on the left, which gives the labels in `include`, belongs to many on the right. */
  public groupRight(...include: string[]): Join {
    return new Join(this.kind, this.keys, 'group_right', include);
  }

  public get labels(): string[] {
    return [...this.keys];
  }

  /** The labels that the result has, given those of both sides; throws when a key is missing on one of them. @internal */
  public _result(left: string[], right: string[]): string[] {
    for (const key of this.kind === 'on' ? this.keys : []) {
      for (const [side, labels] of [
        ['left', left],
        ['right', right],
      ] as const) {
        if (!labels.includes(key)) {
          throw new Error(
            `join on label '${key}': the ${side} side has only ${labels.map((label) => `'${label}'`).join(', ') || 'no labels'}`,
          );
        }
      }
    }
    if (this.group !== '') {
      const many = this.group === 'group_left' ? left : right;
      return [...new Set([...many, ...this.include])];
    }
    return this.kind === 'on' ? this.labels : left.filter((label) => !this.keys.includes(label));
  }

  /** @internal */
  public _print(): string {
    const matching = `${this.kind} (${this.keys.join(', ')})`;
    return this.group === '' ? matching : `${matching} ${this.group} (${this.include.join(', ')})`;
  }
}

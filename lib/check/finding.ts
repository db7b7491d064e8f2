/** Where something stands: the file that was read, and the object and field inside of it. */
export interface Place {
  /** As it was given, or found below a folder that was given. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** `<kind> <namespace>/<name>`, without the namespace for cluster-wide kinds. */
  readonly object: string;
  /** The field inside the object; inside a configuration that a ConfigMap carries, the key comes first: `data["config.yaml"].exporters.debug`. */
  readonly path: string;
}

/** Something that does not agree, with the place and the way out. */
export interface Finding extends Place {
  /** The id of the rule that found it. */
  readonly rule: string;
  /** `error`: it will not work. `warning`: it works, though hardly as it was meant. */
  readonly level: 'error' | 'warning';
  /** What is wrong, with both values. */
  readonly problem: string;
  /** What to do about it. */
  readonly remedy: string;
}

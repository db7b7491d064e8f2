/** Types that an attribute can be converted to. */
export class AttributeType {
  public static readonly INT = new AttributeType('int');
  public static readonly DOUBLE = new AttributeType('double');
  public static readonly STRING = new AttributeType('string');

  private constructor(public readonly name: string) {}
}

/** Where the value of an attribute comes from. */
export class AttributeValue {
  /** A fixed text; `${env:NAME}` is replaced when the program starts. */
  public static text(value: string): AttributeValue {
    // The Collector takes an empty value for none at all and refuses the action.
    if (value === '') {
      throw new Error(`AttributeValue.text(''): an empty value is no value to the Collector: delete the attribute instead`);
    }
    return new AttributeValue({ value });
  }

  /** A fixed number. */
  public static number(value: number): AttributeValue {
    return new AttributeValue({ value });
  }

  /** A fixed truth value. */
  public static flag(value: boolean): AttributeValue {
    return new AttributeValue({ value });
  }

  /** Another attribute of the same record. */
  public static fromAttribute(key: string): AttributeValue {
    return new AttributeValue({ from_attribute: named('fromAttribute', key) });
  }

  /** Metadata of the request: `metadata.x-tenant`; the receiver must include it. */
  public static fromContext(key: string): AttributeValue {
    return new AttributeValue({ from_context: named('fromContext', key) });
  }

  private constructor(private readonly keys: { readonly [key: string]: unknown }) {}

  /** @internal */
  public _render(): { readonly [key: string]: unknown } {
    return this.keys;
  }
}

/** One step of the `resource` or `attributes` processor. */
export class AttributeAction {
  /** Sets the attribute where it is missing. */
  public static insert(key: string, value: AttributeValue): AttributeAction {
    return new AttributeAction({ key, ...value._render(), action: 'insert' });
  }

  /** Sets the attribute where it is present. */
  public static update(key: string, value: AttributeValue): AttributeAction {
    return new AttributeAction({ key, ...value._render(), action: 'update' });
  }

  /** Sets the attribute in any case. */
  public static upsert(key: string, value: AttributeValue): AttributeAction {
    return new AttributeAction({ key, ...value._render(), action: 'upsert' });
  }

  /** Removes the attribute. */
  public static delete(key: string): AttributeAction {
    return new AttributeAction({ key, action: 'delete' });
  }

  /** Removes every attribute whose key matches a regular expression. */
  public static deleteMatching(pattern: string): AttributeAction {
    return new AttributeAction({ pattern, action: 'delete' });
  }

  /** Replaces the value by its hash. */
  public static hash(key: string): AttributeAction {
    return new AttributeAction({ key, action: 'hash' });
  }

  /** Takes named groups of a regular expression out of a value, each into the attribute of its name. */
  public static extract(key: string, pattern: string): AttributeAction {
    if (!/\(\?P?<\w+>/.test(pattern)) {
      throw new Error(`extract of '${key}': pattern '${pattern}' has no named group: write '(?P<name>...)'`);
    }
    return new AttributeAction({ key, pattern, action: 'extract' });
  }

  /** Changes the type of a value where that is possible. */
  public static convert(key: string, type: AttributeType): AttributeAction {
    return new AttributeAction({ key, converted_type: type.name, action: 'convert' });
  }

  private constructor(private readonly keys: object) {
    if ('key' in keys && keys.key === '') {
      throw new Error(`attribute action without a key: name the attribute`);
    }
  }

  /** @internal */
  public _render(): object {
    return this.keys;
  }
}

function named(factory: string, key: string): string {
  if (key === '') {
    throw new Error(`AttributeValue.${factory}(''): name where the value comes from`);
  }
  return key;
}

/**
 * A parsed statement: what pkg/ottl/grammar.go describes, without the wrappers that participle needs. `at` is the offset in the statement.
 */
export interface Statement {
  readonly editor: Call;
  readonly where: Condition | undefined;
}

/** Editor or converter: `set(name, "x")`, `Split(name, ".")[0]`. */
export interface Call {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly keys: readonly Key[];
  readonly at: number;
}

export interface Argument {
  /** Of a named argument. */
  readonly name: string | undefined;
  readonly value: Value | FunctionName;
  readonly at: number;
}

/** A converter that is handed over as such: the `SHA256` of replace_pattern(name, "a", "b", SHA256). */
export interface FunctionName {
  readonly kind: 'function';
  readonly name: string;
  readonly at: number;
}

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { readonly kind: 'or' | 'and'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'not'; readonly condition: Condition }
  | { readonly kind: 'compare'; readonly operator: ComparisonOperator; readonly left: Value; readonly right: Value; readonly at: number }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'converter'; readonly call: Call };

/** A number, path or converter: the only things that can be calculated with. */
export type Operand =
  | { readonly kind: 'float'; readonly value: number; readonly at: number }
  | { readonly kind: 'int'; readonly value: bigint; readonly at: number }
  | { readonly kind: 'path'; readonly path: Path; readonly at: number }
  | { readonly kind: 'converter'; readonly call: Call; readonly at: number };

export type Value =
  | Operand
  | { readonly kind: 'nil'; readonly at: number }
  | { readonly kind: 'bytes'; readonly value: Uint8Array; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly at: number }
  | { readonly kind: 'enum'; readonly name: string; readonly at: number }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [string, Value])[]; readonly at: number }
  | { readonly kind: 'list'; readonly items: readonly Value[]; readonly at: number }
  | { readonly kind: 'math'; readonly expression: MathNode; readonly at: number };

export type MathOperator = '+' | '-' | '*' | '/';

export type MathNode =
  | { readonly kind: 'binary'; readonly operator: MathOperator; readonly left: MathNode; readonly right: MathNode; readonly at: number }
  | { readonly kind: 'sign'; readonly sign: '+' | '-'; readonly of: MathNode; readonly at: number }
  | { readonly kind: 'operand'; readonly operand: Operand; readonly at: number };

export interface Path {
  /** The name before the first dot, where there is one: `span` of `span.name`. */
  readonly context: string | undefined;
  readonly fields: readonly Field[];
  readonly at: number;
}

export interface Field {
  readonly name: string;
  readonly keys: readonly Key[];
  readonly at: number;
}

/** `["a"]`, `[0]`, `[attributes["a"]]`. */
export type Key =
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'int'; readonly value: bigint; readonly at: number }
  | { readonly kind: 'math'; readonly expression: MathNode; readonly at: number };

import type { Item } from '../item.ts';
import type { Kind } from '../kinds.ts';
import type { Value } from '../values.ts';

type Parameters = Readonly<Record<string, Kind<unknown>>>;
type Arguments<P extends Parameters> = { readonly [K in keyof P]: P[K] extends Kind<infer T> ? T : never };

/** What a function does to an item; editors give nothing. */
export type Run = (item: Item) => Value;

/** An editor (lower case) or converter (upper case) of OTTL. */
export interface FunctionDefinition {
  readonly name: string;
  /** In their order; named arguments use these names. */
  readonly parameters: Parameters;
  /** Throws a Failure where the arguments contradict each other: an error at start. */
  create(args: Readonly<Record<string, unknown>>): Run;
}

/** A function with its parameters and what is made of them at start. */
export function define<P extends Parameters>(name: string, parameters: P, create: (args: Arguments<P>) => Run): FunctionDefinition {
  return { name, parameters, create: (args) => create(args as Arguments<P>) };
}

import type { Argument, Call, Condition, Key, MathNode, Path, Value } from './ast.ts';

/** What a statement names: paths (also those in brackets), functions that it calls, enum symbols. */
export interface Names {
  readonly paths: Path[];
  readonly functions: Set<string>;
  readonly enums: Set<string>;
}

/** Collects the names of several statements and conditions. */
export class NameCollector implements Names {
  readonly paths: Path[] = [];
  readonly functions = new Set<string>();
  readonly enums = new Set<string>();

  call({ name, args, keys }: Call): void {
    this.functions.add(name);
    for (const argument of args) this.#argument(argument);
    this.#keys(keys);
  }

  condition(condition: Condition): void {
    switch (condition.kind) {
      case 'or':
      case 'and':
        for (const each of condition.conditions) this.condition(each);
        return;
      case 'not':
        this.condition(condition.condition);
        return;
      case 'compare':
        this.#value(condition.left);
        this.#value(condition.right);
        return;
      case 'converter':
        this.call(condition.call);
        return;
      case 'constant':
    }
  }

  #argument({ value }: Argument): void {
    if (value.kind !== 'function') this.#value(value);
  }

  #value(value: Value): void {
    switch (value.kind) {
      case 'path':
        this.#path(value.path);
        return;
      case 'converter':
        this.call(value.call);
        return;
      case 'enum':
        this.enums.add(value.name);
        return;
      case 'map':
        for (const [, each] of value.entries) this.#value(each);
        return;
      case 'list':
        for (const each of value.items) this.#value(each);
        return;
      case 'math':
        this.#math(value.expression);
        return;
      default:
      // A literal names nothing.
    }
  }

  #path(path: Path): void {
    this.paths.push(path);
    for (const { keys } of path.fields) this.#keys(keys);
  }

  #keys(keys: readonly Key[]): void {
    for (const key of keys) if (key.kind === 'math') this.#math(key.expression);
  }

  #math(node: MathNode): void {
    if (node.kind === 'operand') this.#value(node.operand);
    else if (node.kind === 'sign') this.#math(node.of);
    else {
      this.#math(node.left);
      this.#math(node.right);
    }
  }
}

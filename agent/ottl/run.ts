import type { CompiledCondition, CompiledStatement } from './compile.ts';
import { Compiler, type PathStyle } from './compile.ts';
import { CONTEXTS, type ContextName } from './contexts/contexts.ts';
import type { ErrorMode } from './error-mode.ts';
import type { Failures } from './failures.ts';
import { conditionFunctions, statementFunctions } from './functions/functions.ts';
import type { Item } from './item.ts';

/** Conditions of one context, of which one suffices (ConditionSequence upstream). A failing one counts as not met. */
export class Conditions {
  readonly #conditions: readonly CompiledCondition[];
  readonly #mode: ErrorMode;
  readonly #failures: Failures;

  constructor(texts: readonly string[], context: ContextName, style: PathStyle, mode: ErrorMode, failures: Failures) {
    const compiler = new Compiler(CONTEXTS[context], conditionFunctions(context), style);
    this.#conditions = texts.map((text) => compiler.condition(text));
    this.#mode = mode;
    this.#failures = failures;
  }

  test(item: Item): boolean {
    for (const condition of this.#conditions) {
      try {
        if (condition.test(item)) return true;
      } catch (error) {
        this.#failures.handle(error, this.#mode, condition.text);
      }
    }
    return false;
  }
}

/** Statements of one context in their order, each of them where its `where` is met (StatementSequence upstream). */
export class Statements {
  readonly #statements: readonly CompiledStatement[];
  readonly #mode: ErrorMode;
  readonly #failures: Failures;

  constructor(texts: readonly string[], context: ContextName, style: PathStyle, mode: ErrorMode, failures: Failures) {
    const compiler = new Compiler(CONTEXTS[context], statementFunctions(context), style);
    this.#statements = texts.map((text) => compiler.statement(text));
    this.#mode = mode;
    this.#failures = failures;
  }

  run(item: Item): void {
    for (const statement of this.#statements) {
      try {
        if (statement.where(item)) statement.run(item);
      } catch (error) {
        this.#failures.handle(error, this.#mode, statement.text);
      }
    }
  }
}

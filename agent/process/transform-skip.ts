import { type ByteItem, type ByteSignal, ByteSource, type ByteTest } from '../ottl/bytes/byte-item.ts';
import { ByteCompiler } from '../ottl/bytes/conditions.ts';
import { parseStatement } from '../ottl/parser.ts';
import { printCondition } from '../ottl/print.ts';
import type { RunGroup } from './transform-config.ts';

/**
 * Which items groups leave as they are, by their bytes: those for which no `where` holds. What stands behind it may change what a later
 * one sees, but where the first of them is not met nothing was changed. Where bytes do not tell, the item is not skipped.
 */
export class SkipTest {
  readonly at: ByteItem;
  readonly #concerns: readonly ByteTest[];

  private constructor(at: ByteItem, concerns: readonly ByteTest[]) {
    this.at = at;
    this.#concerns = concerns;
  }

  /** undefined where some statement is run on every item, or a condition cannot be asked of bytes. */
  static of(groups: readonly RunGroup[], signal: ByteSignal): SkipTest | undefined {
    const source = new ByteSource(signal);
    const concerns: ByteTest[] = [];
    for (const group of groups) {
      const tests = testsOf(group, source);
      if (tests === undefined) return undefined;
      concerns.push(...tests);
    }
    return new SkipTest(source.item(), concerns);
  }

  skips(buf: Uint8Array, from: number, end: number): boolean {
    try {
      if (!this.at.fields.load(buf, from, end)) return false;
      for (const test of this.#concerns) if (test(this.at)) return false;
      return true;
    } catch {
      // What fails here fails there, where it is counted and told.
      return false;
    }
  }
}

/** What has to hold that one of the statements of a group is run: one of its conditions, or one `where`, whichever can be asked. */
function testsOf({ context, style, conditions, statements }: RunGroup, source: ByteSource): readonly ByteTest[] | undefined {
  if (context !== (source.signal === 'traces' ? 'span' : 'log')) return undefined;
  const all = (texts: readonly (string | undefined)[], compiler: ByteCompiler): readonly ByteTest[] | undefined => {
    const tests = texts.map((text) => (text === undefined ? undefined : compiler.condition(text))).filter((test) => test !== undefined);
    return tests.length < texts.length ? undefined : tests;
  };
  const ofGroup = conditions.length === 0 ? undefined : all(conditions, new ByteCompiler(source, style === 'named' ? 'named' : 'plain'));
  if (ofGroup !== undefined) return ofGroup;
  const wheres = statements.map((text) => parseStatement(text).where);
  return all(
    wheres.map((where) => where && printCondition(where)),
    new ByteCompiler(source, style),
  );
}

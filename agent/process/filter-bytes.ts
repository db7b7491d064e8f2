import { DROP, type ItemEditor, KEEP } from '../otlp/edit-items.ts';
import { type ByteItem, type ByteSignal, ByteSource, type ByteTest } from '../ottl/bytes/byte-item.ts';
import { ByteCompiler } from '../ottl/bytes/conditions.ts';
import { Compiler, type PathStyle } from '../ottl/compile.ts';
import { CONTEXTS, type ContextName } from '../ottl/contexts/contexts.ts';
import { conditionFunctions } from '../ottl/functions/functions.ts';
import type { Item } from '../ottl/item.ts';
import { editOnBytes } from './edit-on-bytes.ts';
import type { FilterPass } from './filter-config.ts';
import { matchTest } from './match/byte-match.ts';
import type { Body, Metadata } from './process.ts';

/**
 * What filter drops of spans and log records, decided on their bytes: one walk over each item, nothing decoded for what most conditions
 * ask, nothing made for an item (a tenth of the time that views take, test/bench/agent-processors-alone.mjs).
 *
 * It answers where it is sure. Where bytes are not as SDKs write them, or a condition fails, it says nothing, and the views are asked about
 * the whole request again: they know every rule, and how a failure is counted and told.
 */
export class FilterBytes implements ItemEditor {
  readonly growth = 0;
  readonly #at: ByteItem;
  readonly #resourceTests: readonly ByteTest[];
  readonly #scopeTests: readonly ByteTest[];
  readonly #itemTests: readonly ByteTest[];

  private constructor(at: ByteItem, tests: Tests) {
    this.#at = at;
    this.#resourceTests = tests.resource;
    this.#scopeTests = tests.scope;
    this.#itemTests = tests.item;
  }

  /** undefined where a condition is none of those that can be asked of bytes. */
  static of(passes: readonly FilterPass[], signal: ByteSignal): FilterBytes | undefined {
    const source = new ByteSource(signal);
    const tests: Tests = { resource: [], scope: [], item: [] };
    for (const pass of passes)
      if (!(pass.kind === 'match' ? addMatch(pass, source, tests) : addConditions(pass, source, tests))) return undefined;
    // Without a question about items upstream does not even look for empty scopes.
    return tests.looksAtItems === true ? new FilterBytes(source.item(), tests) : undefined;
  }

  /** What is left; undefined where this cannot tell. */
  process(body: Body, metadata: Metadata | undefined): Body | undefined {
    return editOnBytes(body, metadata, this.#at, this);
  }

  resource(_buf: Uint8Array, from: number, end: number): boolean {
    this.#at.resource(from, end);
    return !this.#any(this.#resourceTests);
  }

  scope(_buf: Uint8Array, from: number, end: number): boolean {
    this.#at.scope(from, end);
    return !this.#any(this.#scopeTests);
  }

  decide(buf: Uint8Array, from: number, end: number): number {
    if (!this.#at.fields.load(buf, from, end)) throw new Unusual();
    return this.#any(this.#itemTests) ? DROP : KEEP;
  }

  write(): never {
    throw new Error('filter edits nothing');
  }

  #any(tests: readonly ByteTest[]): boolean {
    for (let i = 0; i < tests.length; i += 1) if ((tests[i] as ByteTest)(this.#at)) return true;
    return false;
  }
}

/** An item that ItemFields does not know. */
class Unusual extends Error {}

/** What is dropped where one of them holds. */
interface Tests {
  readonly resource: ByteTest[];
  readonly scope: ByteTest[];
  readonly item: ByteTest[];
  looksAtItems?: boolean;
}

/** Whether all of a pass can be asked of bytes. */
function addConditions({ conditions, style }: FilterPass & { readonly kind: 'conditions' }, source: ByteSource, tests: Tests): boolean {
  const item = source.signal === 'traces' ? 'span' : 'log';
  const bytes = new ByteCompiler(source, style);
  for (const [context, texts] of Object.entries(conditions) as [ContextName, readonly string[]][]) {
    for (const text of texts) {
      const test = context === item ? bytes.condition(text) : undefined;
      if (test !== undefined) tests.item.push(test);
      else if (context === 'resource' || context === 'scope') tests[context].push(source.around(generalTest(context, text, style)));
      else return false;
    }
    if (context === item) tests.looksAtItems = true;
    else if (context !== 'resource' && context !== 'scope') return false;
  }
  // A pass without one about items removes no empty scope; beside others that do it is not worth a distinction.
  return conditions[item] !== undefined;
}

function generalTest(context: ContextName, text: string, style: PathStyle): (item: Item) => boolean {
  const { test } = new Compiler(CONTEXTS[context], conditionFunctions(context), style).condition(text);
  return test;
}

function addMatch({ include, exclude }: FilterPass & { readonly kind: 'match' }, source: ByteSource, tests: Tests): boolean {
  tests.looksAtItems = true;
  if (include !== undefined) {
    const matches = matchTest(include, source);
    if (matches === undefined) return false;
    tests.item.push((at) => !matches(at));
  }
  if (exclude !== undefined) {
    const matches = matchTest(exclude, source);
    if (matches === undefined) return false;
    tests.item.push(matches);
  }
  return true;
}

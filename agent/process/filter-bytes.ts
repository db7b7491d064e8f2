import { DROP, editItemsOrThrow, type ItemEditor, KEEP } from '../otlp/edit-items.ts';
import { anyValueAsString } from '../otlp/view/as-string.ts';
import type { ResourceView, ScopeView } from '../otlp/view/request.ts';
import { WIRE_LEN, WIRE_VARINT } from '../otlp/wire.ts';
import {
  type ByteItem,
  type ByteSignal,
  ByteSource,
  type ByteTest,
  intAt,
  LOG,
  placeOfAttribute,
  placeOfField,
  SPAN,
  textAt,
  valueAt,
} from '../ottl/bytes/byte-item.ts';
import { ByteCompiler } from '../ottl/bytes/conditions.ts';
import { attributeIs, attributeTest, textComparison } from '../ottl/bytes/leaves.ts';
import { Compiler, type PathStyle } from '../ottl/compile.ts';
import { CONTEXTS, type ContextName } from '../ottl/contexts/contexts.ts';
import { conditionFunctions } from '../ottl/functions/functions.ts';
import type { Item } from '../ottl/item.ts';
import type { FilterPass } from './filter-config.ts';
import { hasAll, hasText, isSevere, KINDS, matchesValue, scopeIs, serviceName } from './filter-match.ts';
import type { AttributeMatch, Match, TextSet } from './filter-match-config.ts';
import { type Body, type Metadata, wholeOf } from './process.ts';

/**
 * What filter drops of spans and log records, decided on their bytes: one walk over each item, nothing decoded for what most conditions
 * ask, nothing made for an item (a tenth of the time that views take, test/bench/agent-processors.mjs).
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
    const request = wholeOf(body);
    try {
      this.#at.begin(request, metadata);
      return editItemsOrThrow(body, request, this);
    } catch {
      return undefined;
    } finally {
      this.#at.end();
    }
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

/** All of a section, as filter-match.ts asks it of views. */
function matchTest(match: Match, source: ByteSource): ByteTest | undefined {
  const { services, scopes, resource } = match;
  // The order is that of filter-match.ts: what one answer saves need not be readable.
  const parts: (ByteTest | undefined)[] = [];
  if (services !== undefined) parts.push(source.around((item) => hasText(services, serviceName(item.resource as ResourceView))));
  parts.push(...(source.signal === 'traces' ? spanParts(match, source) : logParts(match, source)));
  for (const one of scopes) parts.push(source.around((item) => scopeIs(one, item.scope as ScopeView)));
  parts.push(source.around((item) => hasAll(resource, (item.resource as ResourceView).attributes)));
  for (const one of match.attributes) parts.push(attributePart(one, source));
  const tests = parts.filter((part) => part !== undefined);
  if (tests.length < parts.length) return undefined;
  return (at) => {
    for (let i = 0; i < tests.length; i += 1) if (!(tests[i] as ByteTest)(at)) return false;
    return true;
  };
}

function spanParts({ names, kinds }: Match, source: ByteSource): ByteTest[] {
  const parts: ByteTest[] = [];
  if (names !== undefined) parts.push(textPart(names, source.field(SPAN.name, WIRE_LEN)));
  if (kinds !== undefined) {
    const field = source.field(SPAN.kind, WIRE_VARINT);
    const known = KINDS.map((kind) => hasText(kinds, kind));
    const other = hasText(kinds, '');
    parts.push((at) => known[intAt(at, field)] ?? other);
  }
  return parts;
}

function logParts({ bodies, severityTexts, severity }: Match, source: ByteSource): ByteTest[] {
  const parts: ByteTest[] = [];
  if (bodies !== undefined) {
    const place = placeOfField(source.field(LOG.body, WIRE_LEN));
    parts.push((at) => hasText(bodies, anyValueAsString(valueAt(at, place))));
  }
  if (severityTexts !== undefined) parts.push(textPart(severityTexts, source.field(LOG.severityText, WIRE_LEN)));
  if (severity !== undefined) {
    const field = source.field(LOG.severityNumber, WIRE_VARINT);
    parts.push((at) => isSevere(intAt(at, field), severity));
  }
  return parts;
}

function textPart(set: TextSet, field: number): ByteTest {
  if ('strict' in set) {
    const tests = set.strict.map((text) => textComparison(field, '==', text));
    return (at) => tests.some((test) => test(at));
  }
  const place = placeOfField(field);
  return (at) => hasText(set, textAt(at, place));
}

function attributePart({ key, value }: AttributeMatch, source: ByteSource): ByteTest | undefined {
  const at = source.attribute(key);
  if (at === undefined) return undefined;
  const place = placeOfAttribute(at);
  if (value === undefined) return ({ fields }) => place.end(fields) >= 0;
  if ('equals' in value && typeof value.equals === 'string') return attributeIs(place, value.equals, (found) => matchesValue(value, found));
  return attributeTest(place, (found) => matchesValue(value, found));
}

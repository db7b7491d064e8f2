import { anyValueAsString } from '../../otlp/view/as-string.ts';
import type { ResourceView, ScopeView } from '../../otlp/view/request.ts';
import { WIRE_LEN, WIRE_VARINT } from '../../otlp/wire.ts';
import {
  type ByteSource,
  type ByteTest,
  intAt,
  LOG,
  placeOfAttribute,
  placeOfField,
  SPAN,
  textAt,
  valueAt,
} from '../../ottl/bytes/byte-item.ts';
import { attributeIs, attributeTest, textComparison } from '../../ottl/bytes/leaves.ts';
import { hasAll, hasText, isSevere, KINDS, matchesValue, scopeIs, serviceName } from '../filter-match.ts';
import type { AttributeMatch, Match, TextSet } from '../filter-match-config.ts';
import type { AttributeRule, MatchRules, MatchSettings, TextSet as RuleTexts } from './match.ts';

/** A section include or exclude of filter as a test of bytes; undefined where bytes cannot tell. The answers are those of filter-match.ts. */
export function matchTest(match: Match, source: ByteSource): ByteTest | undefined {
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

/** Include and exclude of `attributes` as one test of what is to be processed; undefined where bytes cannot tell. */
export function selectionTest({ include, exclude }: MatchSettings, source: ByteSource): ByteTest | undefined {
  const includes = include === undefined ? ALWAYS : matchTest(matchOf(include), source);
  const excludes = exclude === undefined ? NEVER : matchTest(matchOf(exclude), source);
  return includes && excludes && ((at) => includes(at) && !excludes(at));
}

const ALWAYS: ByteTest = () => true;
const NEVER: ByteTest = () => false;

/** The same rules as filter has them. */
function matchOf(rules: MatchRules): Match {
  const { services, spanNames, spanKinds, logBodies, logSeverityTexts, logSeverityNumber } = rules;
  return {
    ...(services && { services: textsOf(services) }),
    ...(spanNames && { names: textsOf(spanNames) }),
    ...(spanKinds && { kinds: textsOf(spanKinds) }),
    ...(logBodies && { bodies: textsOf(logBodies) }),
    ...(logSeverityTexts && { severityTexts: textsOf(logSeverityTexts) }),
    ...(logSeverityNumber && { severity: logSeverityNumber }),
    scopes: rules.libraries.map(({ name, version }) => ({ name: textsOf(name), ...(version && { version: textsOf(version) }) })),
    resource: rules.resources.map(attributeOf),
    attributes: rules.attributes.map(attributeOf),
  };
}

function textsOf(set: RuleTexts): TextSet {
  return 'texts' in set ? { strict: [...set.texts] } : { regexp: set.patterns };
}

function attributeOf({ key, value, pattern }: AttributeRule): AttributeMatch {
  if (pattern !== undefined) return { key, value: { text: { regexp: [pattern] } } };
  return value === undefined ? { key } : { key, value: { equals: value } };
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

import fc from 'fast-check';
import { CASES, type Case } from './transform-statements.ts';

/** Pieces of statements, so that what comes of them is nearly one. */
const PIECES = [
  ...'()[]{},.=<>+-*/:_',
  ...[
    '==',
    '!=',
    '<=',
    '=>',
    'nil',
    'not',
    'and',
    'or',
    'where',
    'true',
    '1',
    '08',
    '-2',
    '1.5',
    '0x0a',
    '"a"',
    '"\\\\d"',
    '["k"]',
    '[0]',
    '[1 + 2]',
  ],
  ...[
    'name',
    'attributes',
    'attributes["a"]',
    'resource.attributes',
    'span.name',
    'scope.name',
    'cache',
    'body',
    'body.string',
    'start_time',
    'events',
  ],
  ...[
    'SPAN_KIND_SERVER',
    'STATUS_CODE_OK',
    'FLAG_NONE',
    'SHA256',
    'ToLowerCase',
    'Len(name)',
    'IsMatch(name, "a")',
    'Split(name, ",")',
    'Now()',
    'é',
  ],
  ...['value=', 'target=', 'Concat(["a", name], "")', '[1, "a"]', '{"a": 1}', 'Duration("1s")', 'TraceID(0x01)', 'ParseJSON("{}")["a"]'],
];

const TOKENS = /"(?:\\.|[^"\\])*"|\w+|\s+|[^\w\s]/gu;

/** Statements with tokens replaced, inserted, removed and doubled, the same for the same seed. */
export function mutatedCases(seed: number, count: number): readonly Case[] {
  const mutation = fc.tuple(fc.nat(1000), fc.constantFrom('replace', 'replace', 'insert', 'remove', 'double'), fc.constantFrom(...PIECES));
  const bases = CASES.filter(({ statements }) => statements?.length === 1);
  const one = fc.tuple(fc.constantFrom(...bases), fc.array(mutation, { minLength: 1, maxLength: 2 }));
  return fc.sample(one, { seed, numRuns: count }).map(([base, mutations]) => {
    const tokens: string[] = [...((base.statements?.[0] ?? '').match(TOKENS) ?? [''])];
    for (const [at, kind, piece] of mutations) {
      const place = at % tokens.length;
      const own = tokens[place] ?? '';
      const added = { replace: [piece], insert: [own, ' ', piece], remove: [], double: [own, own] }[kind] ?? [];
      tokens.splice(place, 1, ...added);
      if (tokens.length === 0) tokens.push('');
    }
    return { ...base, statements: [tokens.join('')] };
  });
}

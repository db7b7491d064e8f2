import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ComponentFact, MetricFact, PortFact, ProgramFacts } from '../model.ts';

const PROGRAMS = join(dirname(fileURLToPath(import.meta.url)), '..', 'programs');

/** What one script knows of a program; the file joins what all scripts know. */
export interface PartialFacts {
  readonly program: string;
  readonly version: string;
  readonly title?: string;
  readonly run?: boolean;
  readonly note?: string;
  readonly completeDistributions?: readonly string[];
  readonly components?: readonly ComponentFact[];
  readonly ports?: readonly PortFact[];
  readonly metrics?: readonly MetricFact[];
}

/** The committed facts, or empty ones. */
export function readFacts(program: string, version: string): ProgramFacts {
  const file = join(PROGRAMS, program, `${version}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as ProgramFacts;
  return { program, version, title: program, run: false, components: [], completeDistributions: [], ports: [], metrics: [] };
}

/**
 * Replaces the facts of one origin (`live` or `recorded`: upstream and docs) in the program's file. What was seen live wins over what
 * was read, whichever script runs last; a recorded fact still lends it the unit, the condition and the former type.
 */
export function writeFacts(origin: 'live' | 'recorded', facts: PartialFacts): void {
  const known = readFacts(facts.program, facts.version);
  const isLive = ({ source }: { source: string }): boolean => source.startsWith('live@');
  const keep = <T extends { source: string }>(all: readonly T[]): T[] => all.filter((fact) => isLive(fact) === (origin === 'recorded'));
  const join_ = <T extends { source: string }>(
    old: readonly T[],
    added: readonly T[] | undefined,
    key: (fact: T) => string,
    lend: (to: T, from: T) => T,
  ): T[] => {
    const other = keep(old);
    const [live, recorded] = origin === 'live' ? [added ?? [], other] : [other, added ?? []];
    const byKey = new Map(recorded.map((fact) => [key(fact), fact]));
    for (const fact of live) {
      const lender = byKey.get(key(fact)) ?? (origin === 'live' ? old.find((each) => key(each) === key(fact)) : undefined);
      byKey.set(key(fact), lender === undefined ? fact : lend(fact, lender));
    }
    return [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
  };
  const merged: ProgramFacts = {
    program: facts.program,
    version: facts.version,
    title: facts.title ?? known.title,
    run: facts.run ?? known.run,
    ...((facts.note ?? known.note) === undefined ? {} : { note: facts.note ?? known.note }),
    completeDistributions: facts.completeDistributions ?? known.completeDistributions,
    components: join_(known.components, facts.components, componentKey, lendComponent),
    ports: join_(
      known.ports,
      facts.ports,
      (port) => `${String(port.port).padStart(5, '0')} ${port.transport} ${port.name}`,
      (to) => to,
    ),
    metrics: join_(known.metrics, facts.metrics, (metric) => `${metric.endpoint} ${metric.name}`, lendMetric),
  };
  const file = join(PROGRAMS, facts.program, `${facts.version}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, print(merged));
  writeIndex();
}

const componentKey = (component: ComponentFact): string => `${component.kind} ${component.type}`;

function lendComponent(to: ComponentFact, from: ComponentFact): ComponentFact {
  const { formerType, distributions, upstream } = from;
  return {
    ...to,
    ...(formerType === undefined ? {} : { formerType }),
    ...(distributions === undefined ? {} : { distributions }),
    ...((upstream ?? from.source).startsWith('live@') ? {} : { upstream: upstream ?? from.source }),
  };
}

function lendMetric(to: MetricFact, from: MetricFact): MetricFact {
  return from.unit === undefined ? to : { ...to, unit: from.unit };
}

/** One fact per line, so that a difference between versions reads as a list of facts. */
function print(facts: ProgramFacts): string {
  const entries = Object.entries(facts).map(([key, value]) => {
    if (!Array.isArray(value) || value.every((item) => typeof item === 'string'))
      return `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    return `  ${JSON.stringify(key)}: [\n${value.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
  });
  return `{\n${entries.join(',\n')}\n}\n`;
}

/** JSON is imported, not read from disk, so that bundlers carry it; the list of imports is written here. */
function writeIndex(): void {
  const files = readdirSync(PROGRAMS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => readdirSync(join(PROGRAMS, entry.name)).map((file) => `${entry.name}/${file}`))
    .sort();
  const name = (file: string): string => file.replace(/\.json$/, '').replace(/[^a-zA-Z0-9]+/g, '_');
  const lines = [
    '// Written by lib/catalog/scripts; do not edit.',
    "import type { ProgramFacts } from '../model';",
    ...files.map((file) => `import ${name(file)} from './${file}';`),
    '',
    `export const PROGRAMS: readonly ProgramFacts[] = [\n${files.map((file) => `  ${name(file)} as unknown as ProgramFacts,`).join('\n')}\n];`,
  ];
  writeFileSync(join(PROGRAMS, 'index.generated.ts'), `${lines.join('\n')}\n`);
}

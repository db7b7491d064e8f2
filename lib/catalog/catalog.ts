import type { ComponentFact, ComponentKind, MetricFact, ProgramFacts } from './model';
import { PROGRAMS } from './programs/index.generated';

/** Reads the recorded facts. */
export class Catalog {
  private readonly byName: ReadonlyMap<string, readonly ProgramFacts[]>;

  constructor(programs: readonly ProgramFacts[]) {
    const byName = new Map<string, ProgramFacts[]>();
    for (const facts of programs) byName.set(facts.program, [...(byName.get(facts.program) ?? []), facts]);
    this.byName = byName;
  }

  /** Names of all programs, sorted. */
  public programs(): string[] {
    return [...this.byName.keys()].sort();
  }

  /** The recorded versions of a program, the oldest first; empty for an unknown program. */
  public versions(program: string): string[] {
    return (this.byName.get(program) ?? []).map(({ version }) => version).sort(compareVersions);
  }

  /** The facts, or undefined where none are recorded. */
  public find(program: string, version: string): ProgramFacts | undefined {
    return this.byName.get(program)?.find((facts) => facts.version === version);
  }

  /**
   * The facts of a program at a version.
   * @throws Error that names what is recorded, when this is not
   */
  public program(program: string, version: string): ProgramFacts {
    const facts = this.find(program, version);
    if (facts !== undefined) return facts;
    const versions = this.versions(program);
    if (versions.length > 0) throw new Error(`the catalogue has no ${program} ${version}; it has ${versions.join(', ')}`);
    throw new Error(`the catalogue has no program '${program}'; it has ${this.programs().join(', ')}`);
  }

  /** The component of that kind that the type means at this version, by its present or former spelling. */
  public component(program: string, version: string, kind: ComponentKind, type: string): ComponentFact | undefined {
    return this.program(program, version).components.find((each) => each.kind === kind && (each.type === type || each.formerType === type));
  }

  /**
   * Every type that a configuration for the distribution may use for a kind of component, former spellings included, sorted; undefined
   * where not all components of the distribution are recorded, so that nothing can be said about a type that is not among them.
   */
  public types(program: string, version: string, distribution: string, kind: ComponentKind): string[] | undefined {
    const facts = this.find(program, version);
    if (facts === undefined || !facts.completeDistributions.includes(distribution)) return undefined;
    const own = facts.components.filter((each) => each.kind === kind && each.distributions?.includes(distribution));
    return [...new Set(own.flatMap(({ type, formerType }) => (formerType === undefined ? [type] : [type, formerType])))].sort();
  }

  /** The metric family of that name, or the one whose `_bucket`, `_sum` or `_count` series has it. */
  public metric(program: string, version: string, name: string): MetricFact | undefined {
    const { metrics } = this.program(program, version);
    const exact = metrics.find((metric) => metric.name === name);
    if (exact !== undefined) return exact;
    const base = name.replace(/_(bucket|sum|count)$/, '');
    return metrics.find((metric) => metric.name === base && (metric.type === 'histogram' || metric.type === 'summary'));
  }
}

/** Every fact that this package records. */
export const catalog = new Catalog(PROGRAMS);

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

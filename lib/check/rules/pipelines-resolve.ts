import type { Finding } from '../finding';
import { suggestion } from '../nearest';
import type { ConfigFile } from '../read/configs';
import { asList, asObject, type Path } from '../read/json';
import type { Snapshot } from '../read/snapshot';
import { type Distribution, distributionOf } from './distribution';
import { pipelinesResolveExamples } from './examples/pipelines-resolve';
import type { Rule } from './rule';

const ID = 'pipelines-resolve';
/** A pipeline's name is one of these, or one of these with a slash and anything. */
const SIGNALS = ['traces', 'metrics', 'logs', 'profiles'];
const SECTIONS = ['receivers', 'processors', 'exporters', 'connectors', 'extensions'] as const;
/** Keys whose value is the name of an extension, wherever a component has them. */
const EXTENSION_KEYS = new Set(['storage', 'authenticator']);

/** Each pipeline of a configuration in the Collector's grammar names only what the same configuration defines and the image contains. */
export const pipelinesResolve: Rule = {
  id: ID,
  title: 'Pipelines name only components that are defined and that the image contains',
  why: 'The Collector, the agent and Jaeger refuse to start otherwise, and they are told so only after the old pods are gone.',
  examples: pipelinesResolveExamples,
  check: ({ configs }: Snapshot) => configs.filter(({ kind }) => kind === 'collector').flatMap((config) => new Check(config).run()),
};

/** One configuration on its way through the rule. */
class Check {
  private readonly config: ConfigFile;
  private readonly findings: Finding[] = [];
  /** The names that each section defines. */
  private readonly defined: { readonly [section: string]: readonly string[] };
  /** The names of each section that something refers to. */
  private readonly used = new Map<string, Set<string>>(SECTIONS.map((section) => [section, new Set()]));

  constructor(config: ConfigFile) {
    this.config = config;
    const content = asObject(config.tree.value);
    this.defined = Object.fromEntries(SECTIONS.map((section) => [section, Object.keys(asObject(content[section]))]));
  }

  run(): Finding[] {
    const service = asObject(asObject(this.config.tree.value).service);
    const pipelines = Object.entries(asObject(service.pipelines));
    if (pipelines.length === 0)
      this.error(['service', 'pipelines'], 'there is no pipeline', 'define one with at least one receiver and one exporter');
    for (const [name, pipeline] of pipelines) this.pipeline(name, asObject(pipeline));
    this.connectors(pipelines);
    this.extensions(asList(service.extensions));
    this.unused();
    this.types();
    return this.findings;
  }

  private pipeline(name: string, pipeline: { readonly [key: string]: unknown }): void {
    const at: Path = ['service', 'pipelines', name];
    if (!SIGNALS.includes(name.split('/')[0] ?? '')) {
      this.error(at, `"${name}" is not a signal`, `name it ${SIGNALS.join(', ')}, or one of these with a slash and a name`);
    }
    for (const role of ['receivers', 'exporters'] as const) {
      if (asList(pipeline[role]).length === 0)
        this.error(
          [...at, role],
          `pipeline ${name} has no ${role}`,
          `name at least one of: ${this.offered(role).join(', ') || 'none is defined'}`,
        );
    }
    for (const role of ['receivers', 'processors', 'exporters'] as const) this.references(role, asList(pipeline[role]), [...at, role]);
  }

  private references(role: 'receivers' | 'processors' | 'exporters', names: readonly unknown[], at: Path): void {
    names.forEach((entry, index) => {
      const name = String(entry);
      const section = role !== 'processors' && this.defines('connectors', name) ? 'connectors' : role;
      this.used.get(section)?.add(name);
      if (names.indexOf(entry) !== index)
        this.error([...at, index], `${one(role)} "${name}" is named twice in the same pipeline`, 'name it once');
      if (this.defines(section, name)) return;
      this.error([...at, index], `${one(role)} "${name}" is not defined under ${role}`, suggestion(name, this.offered(role)));
    });
  }

  /** A connector ends one pipeline and begins another. */
  private connectors(pipelines: readonly (readonly [string, unknown])[]): void {
    const named = (role: string): Set<unknown> => new Set(pipelines.flatMap(([, pipeline]) => asList(asObject(pipeline)[role])));
    const [exporters, receivers] = [named('exporters'), named('receivers')];
    for (const name of this.defined.connectors ?? []) {
      if (exporters.has(name) === receivers.has(name)) continue;
      const [has, lacks] = exporters.has(name) ? ['exporter', 'receiver'] : ['receiver', 'exporter'];
      this.error(
        ['connectors', name],
        `connector "${name}" is the ${has} of a pipeline, but the ${lacks} of none`,
        `name it among the ${lacks}s of another pipeline`,
      );
    }
  }

  private extensions(listed: readonly unknown[]): void {
    listed.forEach((entry, index) => {
      const name = String(entry);
      this.used.get('extensions')?.add(name);
      if (!this.defines('extensions', name))
        this.error(
          ['service', 'extensions', index],
          `extension "${name}" is not defined under extensions`,
          suggestion(name, this.defined.extensions ?? []),
        );
    });
    const content = asObject(this.config.tree.value);
    for (const section of SECTIONS) this.extensionKeys(content[section], [section], listed);
  }

  private extensionKeys(value: unknown, at: Path, listed: readonly unknown[]): void {
    const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
      ? [...value.entries()]
      : Object.entries(asObject(value));
    for (const [key, entry] of entries) {
      const path = [...at, key];
      // Depth 2 and more: `extensions.storage` would be a component of that name.
      if (at.length < 2 || !EXTENSION_KEYS.has(String(key)) || typeof entry !== 'string') this.extensionKeys(entry, path, listed);
      else if (!this.mayNameExtension(String(key), at)) continue;
      else if (!this.defines('extensions', entry))
        this.error(path, `extension "${entry}" is not defined under extensions`, suggestion(entry, this.defined.extensions ?? []));
      else if (!listed.includes(entry))
        this.error(path, `extension "${entry}" is not listed under service.extensions, so it never starts`, 'list it there');
    }
  }

  /** `storage` names an extension in a queue or a receiver; in an extension (Jaeger's query, for one) it is a word of that extension's own. */
  private mayNameExtension(key: string, at: Path): boolean {
    return key === 'authenticator' || at[0] === 'receivers' || at.at(-1) === 'sending_queue';
  }

  private unused(): void {
    for (const section of SECTIONS) {
      for (const name of this.defined[section] ?? []) {
        if (this.used.get(section)?.has(name)) continue;
        const where = section === 'extensions' ? 'service.extensions does not list it' : 'no pipeline names it';
        this.add(
          'warning',
          [section, name],
          `${one(section)} "${name}" is defined, but ${where}, so it never starts`,
          'use it or remove it',
        );
      }
    }
  }

  /** What the image of each container that reads the file contains, as far as the catalogue knows. */
  private types(): void {
    const distributions = new Map<string, Distribution>();
    for (const { container } of this.config.mounts) {
      const distribution = distributionOf(container.image);
      if (distribution !== undefined) distributions.set(distribution.name, distribution);
    }
    for (const distribution of distributions.values()) {
      for (const section of SECTIONS) {
        for (const name of this.defined[section] ?? []) {
          const type = name.split('/')[0] ?? name;
          if (!distribution.lacks(one(section), type)) continue;
          const remedy = `use another, or an image that has it; ${suggestion(type, distribution.types(one(section)))}`;
          this.error([section, name], `${distribution.name} has no ${one(section)} of type "${type}"`, remedy);
        }
      }
    }
  }

  private defines(section: string, name: string): boolean {
    return this.defined[section]?.includes(name) ?? false;
  }

  /** What a pipeline may name in a role. */
  private offered(role: string): readonly string[] {
    return [...(this.defined[role] ?? []), ...(role === 'processors' ? [] : (this.defined.connectors ?? []))];
  }

  private error(path: Path, problem: string, remedy: string): void {
    this.add('error', path, problem, remedy);
  }

  private add(level: Finding['level'], path: Path, problem: string, remedy: string): void {
    this.findings.push({ ...this.config.tree.place(path), rule: ID, level, problem, remedy });
  }
}

function one<S extends (typeof SECTIONS)[number]>(section: S): S extends `${infer Kind}s` ? Kind : never {
  return section.slice(0, -1) as S extends `${infer Kind}s` ? Kind : never;
}

import type * as z from 'zod/mini';
import type { ConfigErrorCode } from './errors.ts';
import type { Field } from './fields.ts';
import type { Signal } from './settings.ts';
import type { PathStep } from './tree.ts';

/** What a component is told when its settings are made; only components that a pipeline (or service.extensions) uses come so far. */
export interface BuildContext {
  /** As written: `otlp/jaeger`. */
  readonly id: string;
  /** Signals of the pipelines that use it. */
  readonly signals: ReadonlySet<Signal>;
  /** Memory that the process may use: that of the cgroup, or of the machine. */
  readonly totalMemoryBytes: number;
  /** A mistake; `path` is below the component. */
  report(code: ConfigErrorCode, path: readonly PathStep[], message: string): void;
  /** Works, but is worth a line at start. */
  notice(path: readonly PathStep[], message: string): void;
}

/** What a connector makes of each signal. */
export type Routes = Readonly<Partial<Record<Signal, readonly Signal[]>>>;

/** What a stage does to the data that passes, for people: `otlp-agent explain` and the reference. */
export interface DataPath {
  /** How it works on the bytes, and so what it costs: "edits in place", "decodes the attributes that it reads". */
  readonly bytes: string;
  /** What it drops, by intention; absent where nothing. */
  readonly drops?: string;
}

/** One component type of the grammar. */
export interface ComponentDefinition<C, S> {
  readonly type: string;
  /** Older spellings of the type that the Collector also reads. */
  readonly aliases?: readonly string[];
  /** Signals that its pipelines may carry; none for extensions. */
  readonly signals: readonly Signal[];
  readonly describe: string;
  /** Connectors only: the signals of the pipelines that they may end in, by that of the pipeline that they begin in. */
  readonly routes?: Routes;
  /** Processors and connectors only. */
  readonly dataPath?: DataPath;
  readonly config: Field<C>;
  /** Config to settings; undefined where it reported a mistake. */
  build(config: C, context: BuildContext): S | undefined;
}

/** The same with its config type hidden, so that a list can hold several. */
export interface Component<S> {
  readonly type: string;
  readonly aliases: readonly string[];
  readonly signals: readonly Signal[];
  readonly describe: string;
  readonly routes: Routes;
  readonly dataPath: DataPath | undefined;
  readonly config: z.ZodMiniType;
  build(config: unknown, context: BuildContext): S | undefined;
}

/** A definition as a Component; `config` is what its own schema gave, so the cast cannot be wrong. */
export function component<C, S>(definition: ComponentDefinition<C, S>): Component<S> {
  return {
    type: definition.type,
    aliases: definition.aliases ?? [],
    signals: definition.signals,
    describe: definition.describe,
    routes: definition.routes ?? {},
    dataPath: definition.dataPath,
    config: definition.config,
    build: (config, context) => definition.build(config as C, context),
  };
}

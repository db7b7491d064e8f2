import type { Signal } from '../config/settings.ts';
import { ItemWalk, type Visitor, type WalkedItem, type WalkedSignal } from '../otlp/view/item-walk.ts';
import { RequestView, type ResourceView, type ScopeView } from '../otlp/view/request.ts';
import { MalformedError } from '../otlp/wire.ts';
import { Failures, Refusal } from '../ottl/failures.ts';
import { Item } from '../ottl/item.ts';
import { Conditions, Statements } from '../ottl/run.ts';
import { writesAround } from '../ottl/targets.ts';
import { eachOf, visitItem } from '../ottl/walk.ts';
import type { AttributesBytes } from './attributes-bytes.ts';
import type { ProcessorHost } from './create-processor.ts';
import { type Body, type Metadata, type Processor, ProcessorRefusal } from './process.ts';
import type { RunGroup, TransformSettings } from './transform-config.ts';
import { fixedGroup } from './transform-fixed.ts';
import { SkipTest } from './transform-skip.ts';

/**
 * Processor `transform`: runs OTTL statements.
 * In:       a request. Out: the request as the statements leave it; the very bytes where they change nothing.
 * May drop: nothing; with error_mode propagate a failing statement refuses the request.
 * Counters: otelcol_processor_{incoming,outgoing}_items, otlp_agent_processor_failures.
 * Bytes:    decodes what statements name and nothing else: a condition over one attribute reads that attribute; fields that no statement
 *           sets keep their bytes, unknown ones included. Statements about items that set nothing around them take one walk over the
 *           items, all neighbouring groups of them together; constants are set on the bytes (transform-fixed.ts), items that no
 *           `where` means are not looked into (transform-skip.ts); all others see the request as a tree.
 * Bench:    test/bench/agent-processors
 */
export class TransformProcessor implements Processor {
  /** By group, in their order. */
  readonly ways: readonly Way[];
  readonly #stages: readonly Stage[];

  /** `walks` false: everything is done in the tree; for tests that compare the two ways. */
  constructor(settings: TransformSettings, signal: Signal, host: Pick<ProcessorHost, 'log' | 'counters'>, walks = true) {
    const failures = new Failures(host.log, settings.id, () => {
      host.counters.failures += 1;
    });
    const all = signal === 'profiles' ? [] : together(settings.groups[signal], signal, walks);
    this.ways = all.flatMap(({ way, groups }) => groups.map(() => way));
    this.#stages = signal === 'profiles' ? [] : all.map((each) => stageOf(each, signal, failures));
    if (all.length > 0) host.log.debug('transform compiled', { component: settings.id, signal, ways: this.ways });
  }

  process(body: Body, metadata: Metadata | undefined): Body | string | ProcessorRefusal {
    try {
      return this.#stages.reduce((rest, stage) => stage.run(rest, metadata), body);
    } catch (error) {
      if (error instanceof Refusal) return new ProcessorRefusal(error.message);
      if (error instanceof MalformedError) return error.message;
      throw error;
    }
  }
}

interface Stage {
  run(body: Body, metadata: Metadata | undefined): Body;
}

/** How a group is run: constants on the bytes, on one item after the other, in the tree of the request. */
export type Way = 'bytes' | 'walk' | 'tree';

interface Together {
  readonly way: Way;
  /** What follows may join. */
  readonly isOpen: boolean;
  readonly groups: RunGroup[];
}

/** Groups in their order, those together that can be run together: in one walk only those that refuse nothing, as order matters there. */
function together(groups: readonly RunGroup[], signal: WalkedSignal, walks: boolean): Together[] {
  const all: Together[] = [];
  for (const group of groups) {
    const way = !walks || !isOfItems(group) ? 'tree' : signal !== 'metrics' && fixedGroup(group, signal) !== undefined ? 'bytes' : 'walk';
    const isOpen = way === 'tree' || (way === 'walk' && group.errorMode !== 'propagate');
    const last = all.at(-1);
    if (last?.way === way && last.isOpen && isOpen) last.groups.push(group);
    else all.push({ way, isOpen, groups: [group] });
  }
  return all;
}

function stageOf({ way, groups }: Together, signal: WalkedSignal, failures: Failures): Stage {
  const compiled = groups.map((group) => new CompiledGroup(group, failures));
  if (way === 'tree') return new TreeStage(signal, compiled);
  const walk = new WalkStage(signal, compiled, signal === 'metrics' ? undefined : SkipTest.of(groups, signal));
  const fixed = way === 'bytes' && signal !== 'metrics' ? fixedGroup(groups[0] as RunGroup, signal) : undefined;
  return fixed === undefined ? walk : new FixedStage(fixed, walk);
}

/** Whether a group sees and sets nothing but one item after the other. */
function isOfItems({ context, style, statements }: RunGroup): boolean {
  return context !== 'resource' && context !== 'scope' && !statements.some((text) => writesAround(text, context, style));
}

/** What is known at start, on the bytes; where these are not as SDKs write them, the other way. */
class FixedStage implements Stage {
  readonly #bytes: AttributesBytes;
  readonly #otherwise: Stage;

  constructor(bytes: AttributesBytes, otherwise: Stage) {
    this.#bytes = bytes;
    this.#otherwise = otherwise;
  }

  run(body: Body, metadata: Metadata | undefined): Body {
    return this.#bytes.process(body, metadata) ?? this.#otherwise.run(body, metadata);
  }
}

/** One group after the other, each on the whole request. */
class TreeStage implements Stage {
  readonly #signal: WalkedSignal;
  readonly #groups: readonly CompiledGroup[];

  constructor(signal: WalkedSignal, groups: readonly CompiledGroup[]) {
    this.#signal = signal;
    this.#groups = groups;
  }

  run(body: Body, metadata: Metadata | undefined): Body {
    const request = new RequestView(this.#signal, body);
    const item = new Item(metadata);
    for (const { context, visit } of this.#groups) eachOf(request, context, item, visit);
    return request.toBody();
  }
}

/** One item after the other, all groups on each: as an item knows nothing of the others that is the same. */
class WalkStage implements Stage, Visitor {
  readonly keepsEmpty = true;
  readonly #walk: ItemWalk;
  readonly #groups: readonly CompiledGroup[];
  readonly #skip: SkipTest | undefined;
  #item = new Item();

  constructor(signal: WalkedSignal, groups: readonly CompiledGroup[], skip: SkipTest | undefined) {
    this.#walk = new ItemWalk(signal, this);
    this.#groups = groups;
    this.#skip = skip;
  }

  run(body: Body, metadata: Metadata | undefined): Body {
    this.#item = new Item(metadata);
    try {
      return this.#walk.run(body);
    } finally {
      this.#item = new Item();
      this.#skip?.at.end();
    }
  }

  begin(buf: Buffer): void {
    this.#skip?.at.begin(buf, this.#item.metadata);
  }

  resource(resource: ResourceView, from: number, end: number): boolean {
    this.#item.resource = resource;
    this.#skip?.at.resource(from, end);
    return true;
  }

  scope(scope: ScopeView, from: number, end: number): boolean {
    this.#item.scope = scope;
    this.#skip?.at.scope(from, end);
    return true;
  }

  skips(buf: Buffer, from: number, end: number): boolean {
    return this.#skip?.skips(buf, from, end) === true;
  }

  item(each: WalkedItem): void {
    for (const { context, visit } of this.#groups) visitItem(each, context, this.#item, visit);
  }
}

class CompiledGroup {
  readonly context: RunGroup['context'];
  readonly visit: (item: Item) => void;

  constructor({ context, style, conditions, statements, errorMode }: RunGroup, failures: Failures) {
    this.context = context;
    const conditionStyle = style === 'named' ? 'named' : 'plain';
    const compiled = new Statements(statements, context, style, errorMode, failures);
    const tested = conditions.length === 0 ? undefined : new Conditions(conditions, context, conditionStyle, errorMode, failures);
    this.visit = (item) => {
      item.forget();
      if (tested === undefined || tested.test(item)) compiled.run(item);
    };
  }
}

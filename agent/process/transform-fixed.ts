import type { AnyValue } from '../otlp/view/any-value.ts';
import type { Call, Path, Value } from '../ottl/ast.ts';
import { type ByteSignal, ByteSource, type ByteTest } from '../ottl/bytes/byte-item.ts';
import { ByteCompiler } from '../ottl/bytes/conditions.ts';
import { CONTEXTS, ownerOf } from '../ottl/contexts/contexts.ts';
import { parseStatement } from '../ottl/parser.ts';
import { printCondition } from '../ottl/print.ts';
import type { AttributeAction } from './actions/action.ts';
import { FixedActions } from './actions/fixed-actions.ts';
import { AttributesBytes } from './attributes-bytes.ts';
import type { RunGroup } from './transform-config.ts';

/**
 * A group that does nothing but set attributes of spans or log records to what is written there or to another one, or delete them, is what
 * the processor `attributes` does: known at start, on the bytes, in a third of the time (test/bench/agent-processors-alone.mjs). Such statements cannot
 * fail, and none sees what another does. undefined for all other groups, and where a condition cannot be asked of bytes.
 *
 *   set(span.attributes["deployment"], "blue")     upsert
 *   delete_key(span.attributes, "user.id")         delete
 *   set(span.attributes["a"], span.attributes["b"])   upsert with from_attribute; without effect where b is absent or empty
 */
export function fixedGroup(group: RunGroup, signal: ByteSignal): AttributesBytes | undefined {
  if (group.context !== (signal === 'traces' ? 'span' : 'log')) return undefined;
  const statements = group.statements.map((text) => parseStatement(text));
  const actions = statements.map(({ editor }) => actionOf(editor, group)).filter((each) => each !== undefined);
  if (actions.length < statements.length || actions.length === 0) return undefined;
  const wheres = statements.map(({ where }) => where).filter((each) => each !== undefined);
  // What stands behind one `where` would have to know what was set before.
  if (wheres.length > 0 && statements.length > 1) return undefined;
  const source = new ByteSource(signal);
  const own = new ByteCompiler(source, group.style);
  const ofGroup = new ByteCompiler(source, group.style === 'named' ? 'named' : 'plain');
  const tests = wheres.map((where) => own.condition(printCondition(where)));
  if (group.conditions.length > 0) tests.push(anyOf(group.conditions.map((text) => ofGroup.condition(text))));
  if (tests.some((test) => test === undefined)) return undefined;
  const copies = actions.some(({ fromAttribute }) => fromAttribute !== undefined);
  // Copies that see what was set before, or are looked for by a key that bytes do not tell, are for views.
  if (copies && FixedActions.of(actions, 0, (key) => source.attribute(key)) === undefined) return undefined;
  const all: ByteTest | undefined = tests.length === 0 ? undefined : (at) => tests.every((test) => test?.(at) === true);
  return AttributesBytes.ofActions(actions, source, all, copies);
}

function anyOf(tests: readonly (ByteTest | undefined)[]): ByteTest | undefined {
  return tests.some((test) => test === undefined) ? undefined : (at) => tests.some((test) => test?.(at) === true);
}

function actionOf({ name, args }: Call, group: RunGroup): AttributeAction | undefined {
  const [target, second] = args;
  if (args.length !== 2 || args.some((each) => each.name !== undefined) || target?.value.kind !== 'path') return undefined;
  const keys = attributeKeys(target.value.path, group);
  if (keys === undefined || second === undefined || second.value.kind === 'function') return undefined;
  const [key] = keys;
  if (name === 'set' && keys.length === 1 && key !== undefined && second.value.kind === 'path') {
    const from = attributeKeys(second.value.path, group);
    return from?.length === 1 ? { action: 'upsert', key, fromAttribute: from[0] as string } : undefined;
  }
  const value = constantOf(second.value);
  if (name === 'delete_key' && keys.length === 0 && typeof value === 'string') return { action: 'delete', key: value };
  if (name !== 'set' || keys.length !== 1 || key === undefined || value === undefined) return undefined;
  return { action: 'upsert', key, value };
}

/** Keys behind `attributes` of the item; undefined for all other paths. */
function attributeKeys(path: Path, { context, style }: RunGroup): readonly string[] | undefined {
  const { owner, fields } = ownerOf(CONTEXTS[context], path, style);
  const [field] = fields;
  if (owner !== context || fields.length !== 1 || field?.name !== 'attributes') return undefined;
  const keys = field.keys.map((key) => (key.kind === 'string' ? key.value : undefined));
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function constantOf(value: Value): AnyValue {
  return value.kind === 'string' || value.kind === 'boolean' || value.kind === 'int' || value.kind === 'float' ? value.value : undefined;
}

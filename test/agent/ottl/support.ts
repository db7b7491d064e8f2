import type { ProcessorSettings } from '../../../agent/config/settings.ts';
import { RequestView } from '../../../agent/otlp/view/request.ts';
import { Compiler, type PathStyle } from '../../../agent/ottl/compile.ts';
import { CONTEXTS, type ContextName } from '../../../agent/ottl/contexts/contexts.ts';
import { Failure, OttlError } from '../../../agent/ottl/errors.ts';
import { conditionFunctions, statementFunctions } from '../../../agent/ottl/functions/functions.ts';
import { Item } from '../../../agent/ottl/item.ts';
import type { Value } from '../../../agent/ottl/values.ts';
import { encode, type Message } from '../kit/otlp.ts';
import { loadYaml, problemsOf } from '../support/config.ts';

/** A log record as the log context has it; statements over `cache` need no more. */
export function logItem(record: Message = {}, attributes: Message[] = []): Item {
  const bytes = encode('logs', {
    resourceLogs: [{ resource: { attributes }, scopeLogs: [{ scope: { name: 'lib' }, logRecords: [record] }] }],
  });
  const request = new RequestView('logs', bytes);
  const item = new Item();
  item.resource = request.resources[0];
  item.scope = request.resources[0]?.scopes[0];
  item.log = request.resources[0]?.scopes[0]?.items[0];
  return item;
}

/** What an expression gives; the message of the failure where it fails. */
export function evaluate(expression: string, item: Item = logItem()): Value {
  const statement = new Compiler(CONTEXTS.log, statementFunctions('log'), 'plain').statement(`set(cache["result"], ${expression})`);
  try {
    statement.run(item);
    return item.cache.get('result');
  } catch (error) {
    if (error instanceof Failure) return `failure: ${error.message}`;
    throw error;
  }
}

/** Whether a condition holds; the message of the failure where it fails. */
export function holds(condition: string, item: Item = logItem()): boolean | string {
  const { test } = new Compiler(CONTEXTS.log, conditionFunctions('log'), 'plain').condition(condition);
  try {
    return test(item);
  } catch (error) {
    if (error instanceof Failure) return `failure: ${error.message}`;
    throw error;
  }
}

/** Why a statement cannot be compiled; undefined where it can. */
export function mistakeIn(statement: string, context: ContextName = 'span', style: PathStyle = 'prepended'): string | undefined {
  try {
    new Compiler(CONTEXTS[context], statementFunctions(context), style).statement(statement);
    return undefined;
  } catch (error) {
    if (error instanceof OttlError) return `column ${error.column}: ${error.message}`;
    throw error;
  }
}

function pipeline(type: string, config: string, signals: readonly string[] = ['traces', 'metrics', 'logs']): string {
  const pipelines = signals.map((signal) => `${signal}: {receivers: [otlp], processors: [${type}], exporters: [debug]}`);
  return `receivers: {otlp: {protocols: {http: }}}\nprocessors:\n  ${type}: ${config}\nexporters: {debug: }\nservice: {pipelines: {${pipelines.join(', ')}}}`;
}

/** What the code is told of a processor that is configured so; YAML. */
export function processorSettings(type: string, config: string | object, signals?: readonly string[]): ProcessorSettings {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return loadYaml(pipeline(type, text, signals)).settings.processors[type] as ProcessorSettings;
}

/** What is wrong with a processor's configuration: `path: message [code]`. */
export function configMistakes(type: string, config: string): string[] {
  return problemsOf(pipeline(type, config)).map(({ path, message, code }) => `${path.slice(2).join('.')}: ${message} [${code}]`);
}

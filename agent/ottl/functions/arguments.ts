import type { Argument, Call } from '../ast.ts';
import { OttlError } from '../errors.ts';
import type { Scope } from '../kinds.ts';
import type { FunctionDefinition } from './define.ts';

/** Arguments to parameters, as buildArgs in pkg/ottl/functions.go: by place first, by name from the first named one on. */
export function buildArguments(definition: FunctionDefinition, call: Call, scope: Scope): Readonly<Record<string, unknown>> {
  const names = Object.keys(definition.parameters);
  // Upstream does not look at what a function without parameters is given.
  if (names.length === 0) return {};
  const required = names.filter((name) => definition.parameters[name]?.isOptional === false);
  const signature = `${definition.name}(${names.map((name) => (required.includes(name) ? name : `${name}?`)).join(', ')})`;
  if (call.args.length < required.length || call.args.length > names.length) {
    throw new OttlError(`${signature} is called with ${call.args.length} argument${call.args.length === 1 ? '' : 's'}`, call.at);
  }
  const result: Record<string, unknown> = {};
  let named = false;
  call.args.forEach((argument, place) => {
    if (argument.name !== undefined) named = true;
    else if (named) throw new OttlError(`${definition.name}: an argument without a name behind one with a name`, argument.at);
    const name = argument.name === undefined ? (names[place] as string) : parameterNamed(argument, names, signature);
    try {
      result[name] = definition.parameters[name]?.build(argument.value, scope);
    } catch (error) {
      // What a kind of argument wants is told with its name; a mistake further in says it best by itself.
      if (error instanceof OttlError && error.message.startsWith('wants '))
        throw new OttlError(`${definition.name}: ${name} ${error.message}`, error.column - 1);
      throw error;
    }
  });
  const missing = required.find((name) => !(name in result));
  if (missing !== undefined) throw new OttlError(`${signature} is called without ${missing}`, call.at);
  return result;
}

function parameterNamed({ name, at }: Argument, names: readonly string[], signature: string): string {
  const wanted = camel(name as string);
  const found = names.find((each) => camel(each) === wanted);
  if (found === undefined) throw new OttlError(`${signature} has no parameter ${name}`, at);
  return found;
}

/** strcase.ToCamel: `utf8_safe` and `utf8Safe` name the same field of Go. */
function camel(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/gu, (_, first: string) => first.toUpperCase()).replaceAll('_', '');
}

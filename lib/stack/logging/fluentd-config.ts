/**
 * One directive of a Fluentd configuration: `<name argument> ... </name>`.
 *
 * @see https://docs.fluentd.org/configuration/config-file
 */
export interface FluentdDirective {
  /** `source`, `filter`, `match`, `parse`, `buffer`, `record` ... */
  readonly name: string;
  /** The tag pattern of a filter or match, the chunk keys of a buffer. @default '' */
  readonly argument?: string;
  /** Parameters in their order; numbers and booleans are given as text. */
  readonly parameters: { [key: string]: string };
  /** @default [] */
  readonly directives?: FluentdDirective[];
}

const NAME = /^[a-z_]+$/;
// `$` is a parameter key too: record_transformer writes `${...}` only in values.
const KEY = /^[@\w.$-]+$/;

/** The text of a whole configuration. A value that Fluentd would read otherwise than it is written is quoted. */
export function printFluentd(directives: FluentdDirective[]): string {
  return directives.map((directive) => printDirective(directive, '')).join('\n');
}

/** `"#{ENV['NAME']}"`: Fluentd evaluates it when it reads the file, so that no secret stands in the ConfigMap. */
export function fluentdEnv(name: string): string {
  return `"#{ENV['${name}']}"`;
}

function printDirective({ name, argument, parameters, directives }: FluentdDirective, indent: string): string {
  if (!NAME.test(name)) {
    throw new Error(`Fluentd directive '${name}' must consist of lower case letters and '_'`);
  }
  const lines = [`${indent}<${name}${argument ? ` ${argument}` : ''}>`];
  for (const [key, value] of Object.entries(parameters)) {
    if (!KEY.test(key)) {
      throw new Error(`Fluentd directive '${name}': parameter '${key}' must consist of letters, digits, '_', '.', '-' and '@'`);
    }
    lines.push(`${indent}  ${key} ${printValue(value)}`);
  }
  for (const child of directives ?? []) {
    lines.push(printDirective(child, `${indent}  `).trimEnd());
  }
  lines.push(`${indent}</${name}>`, '');
  return lines.join('\n');
}

/** Bare where Fluentd's parser ends the value at the end of the line; quoted where `#`, quotes or blanks at the ends would be lost. */
function printValue(value: string): string {
  const embedded = value.startsWith('"#{');
  if (embedded || (value !== '' && !/^\s|\s$|[\n"'\\]|(^|\s)#/.test(value))) {
    return value;
  }
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('#{', '\\#{')}"`;
}

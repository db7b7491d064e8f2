/** docs/reference/ottl.md: what of the OpenTelemetry Transformation Language this agent has, from its own tables. */
import { CONTEXTS, CONTEXTS_OF } from '../../agent/ottl/contexts/contexts.ts';
import { conditionFunctions, NOT_HERE, statementFunctions } from '../../agent/ottl/functions/functions.ts';

export async function generate() {
  const contexts = Object.values(CONTEXTS);
  const functions = new Map(contexts.flatMap(({ name }) => [...statementFunctions(name), ...conditionFunctions(name)]));
  const editors = [...functions.values()].filter(({ name }) => /^[a-z]/u.test(name));
  const converters = [...functions.values()].filter(({ name }) => /^[A-Z]/u.test(name));
  const parts = [
    '# OTTL in this agent',
    'Written by `npm run docs` from `agent/ottl/`; do not edit. The language is that of the Collector 0.155 ([its own reference](https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/v0.155.0/pkg/ottl/LANGUAGE.md)): `filter`, `transform` and `count` speak it. Every statement is read, and every path, function and argument of it proved, when the agent starts; a mistake is told with the statement and its column.',
    '## Functions',
    '`?` marks arguments that may be left out; all may be written by name, as in `truncate_all(attributes, limit=100)`.',
    list(editors),
    list(converters),
    `Of the Collector and not here (an error at start that says so): ${[...NOT_HERE].map(code).join(', ')}. Lambda expressions are behind a feature gate upstream and are not here either.`,
    '## Contexts and paths',
    ...contexts.flatMap((context) => [`### ${context.name}`, ...pathsOf(context)]),
    `What statements of a signal may be about: ${Object.entries(CONTEXTS_OF)
      .map(([signal, names]) => `${signal}: ${names.join(', ')}`)
      .join('; ')}.`,
    '## What is different from the Collector',
    bullets([
      'A text is UTF-8 here. Where `Substring` without `utf8_safe`, or `truncate_all` with `utf8_safe=false`, cut a character in two, the Collector sends the half of it, which no protobuf reader takes; this agent leaves the half out. `Base64Decode` of bytes that are no UTF-8 gives U+FFFD in their places.',
      '`ParseJSON` stops at 200 levels (the Collector at 10 000), attribute values at 400, statements at 200 levels of brackets and 100 000 characters; an index that would make a new list of more than 10 000 places is a failure.',
      '`delete_key` takes all attributes of a key that is there twice, which the data model forbids; the Collector takes the first.',
      'A parameter that is named twice, and so leaves another one out, is an error at start; the Collector crashes when the statement is run.',
      'A failing statement is logged once in a minute with how often it failed, not for each item; `otlp_agent_processor_failures` counts all.',
      '`otelcol.client.metadata` is there where the receiver has `include_metadata`; address, authentication and gRPC metadata of the sender are not.',
      'Regular expressions mean what they mean in Go: they run on a port of RE2, in time linear in the text. Where JavaScript means the same and the text is too short for it to be slow, its engine is asked.',
    ]),
    'With `error_mode: propagate` a failure refuses the whole request with UNAVAILABLE (503), as the Collector does: the sender tries again, and fails again.',
  ];
  return { 'docs/reference/ottl.md': `${parts.join('\n\n')}\n` };
}

function list(functions) {
  return bullets(
    functions.map(({ name, parameters }) => {
      const names = Object.entries(parameters).map(([parameter, { isOptional }]) => (isOptional ? `${parameter}?` : parameter));
      return code(`${name}(${names.join(', ')})`);
    }),
  );
}

function pathsOf({ name, paths, enums }) {
  const others = Object.keys(paths).filter((each) => each !== name);
  return [
    `${code(name)}: ${Object.keys(paths[name]).map(code).join(', ')}, \`cache\`. Also those of ${others.map(code).join(', ')}.`,
    ...(Object.keys(enums).length === 0 ? [] : [`Enum symbols: ${Object.keys(enums).map(code).join(', ')}.`]),
  ];
}

function bullets(lines) {
  return lines.map((line) => `- ${line}`).join('\n');
}

function code(text) {
  return `\`${text}\``;
}

/** docs/reference/agent-configuration.md and its JSON Schema: every key of the agent, read from the zod schemas beside the components. */
import { docOf } from '../../agent/config/field-doc.ts';
import { configJsonSchema } from '../../agent/config/json-schema.ts';
import { COLLECTOR_VERSION } from '../../agent/config/portable.ts';
import { PROCESS_CONFIG } from '../../agent/config/process-config.ts';
import { COMPONENTS } from '../../agent/config/registry.ts';
import { EXTENSION_LIST, PIPELINE_CONFIG } from '../../agent/config/service-config.ts';
import { TELEMETRY_CONFIG } from '../../agent/telemetry/config.ts';
import { aboutCosts, costsOf } from './component-costs.mjs';
import { noteOf } from './component-notes.mjs';

const SCHEMA = 'docs/reference/agent-configuration.schema.json';

export async function generate() {
  const sections = Object.entries(COMPONENTS).flatMap(([section, components]) => [
    `## ${section}`,
    ...components.flatMap((component) => componentPart(section, component)),
  ]);
  const text = [
    '# Configuration of the agent',
    'Written by `npm run docs` from the schemas beside the components in `agent/`; do not edit.',
    INTRODUCTION,
    ...aboutCosts(),
    ...sections,
    '## service',
    'What runs. Components that no pipeline uses are checked and not started.',
    keyTable([
      ['service.extensions', EXTENSION_LIST],
      ['service.pipelines.<id>', PIPELINE_CONFIG],
      ['service.telemetry', TELEMETRY_CONFIG],
    ]),
    '## agent',
    'The one top-level section that the Collector does not have.',
    keyTable(keysOf(PROCESS_CONFIG)),
  ];
  return {
    'docs/reference/agent-configuration.md': `${text.join('\n\n')}\n`,
    [SCHEMA]: `${JSON.stringify(configJsonSchema(), null, 1)}\n`,
  };
}

const INTRODUCTION = `The agent reads the YAML of the OpenTelemetry Collector ${COLLECTOR_VERSION}: a file that uses only what is listed here runs in both. \`otlp-agent validate --portable --config FILE\` lists what the Collector would refuse, \`otlp-agent print-config --config FILE\` prints a configuration with every default, and \`otlp-agent print-config --schema\` the JSON Schema that is also in [agent-configuration.schema.json](agent-configuration.schema.json).

How values are read, as in the Collector:

* **Durations** are Go's: \`200ms\`, \`5s\`, \`1h30m\`. A number without a unit is nanoseconds, which a notice at start says.
* **Types are strict**: \`"5"\` is no number and \`5\` is no text. A fraction of an integer is cut. A list of texts may be one text with commas.
* **Empty keys**: a section, list or map without a value takes its defaults; a text is empty, a number or duration is 0.
* **Ids** are \`type\` or \`type/name\`, so that a type can be there more than once.
* **References**: \`\${env:NAME}\`, \`\${env:NAME:-default}\`, \`\${NAME}\`, \`\${file:PATH}\`, \`\${yaml:TEXT}\`; \`$$\` is a dollar sign. A value that is nothing but a reference has the type of its YAML; keys that want text get the text.
* **Several \`--config\`** are merged in order, maps key by key, everything else replaced; \`--set a.b.c=value\` comes last. A \`--config\` is a path, \`file:PATH\`, \`env:NAME\` or \`yaml:TEXT\`.

In the tables **ours** marks keys that the Collector does not have, *without effect* keys that are accepted for the sake of existing files, and *not supported* keys that are an error at start.`;

function componentPart(section, component) {
  const { type, aliases, signals, describe, config } = component;
  const facts = [
    aliases.length > 0 ? `Older name: ${aliases.map((alias) => `\`${alias}\``).join(', ')}.` : '',
    signals.length > 0 ? `Signals: ${signals.join(', ')}.` : '',
  ];
  const text = [describe, ...facts].filter((part) => part !== '').join(' ');
  return [`### ${type}`, text, ...noteOf(section, component), ...costsOf(section, type), keyTable(keysOf(config))];
}

function keysOf(schema) {
  return Object.entries(docOf(schema).fields);
}

function keyTable(keys) {
  const rows = keys.flatMap(([key, schema]) => rowsOf(key, schema));
  return ['| key | type | default | what it does |', '|---|---|---|---|', ...rows].join('\n');
}

/** A key and, below it, the keys of its section; a section that has no effect is one row. */
function rowsOf(key, schema) {
  const doc = docOf(schema);
  const own = `| \`${key}\` | ${typeOf(doc)} | ${defaultOf(doc)} | ${cell(meaningOf(doc))} |`;
  if (doc.fields === undefined || doc.inert !== undefined) return [own];
  const switches = doc.switchable === true ? [`| \`${key}.enabled\` | bool | \`true\` | false switches the section off. |`] : [];
  // Twenty keys of TLS that are all the same error would hide the one that is not.
  const supported = Object.entries(doc.fields).filter(
    ([name, field]) => !(key.endsWith('tls') && name !== 'insecure' && docOf(field).unsupported),
  );
  return [own, ...switches, ...supported.flatMap(([name, field]) => rowsOf(`${key}${doc.list === true ? '[]' : ''}.${name}`, field))];
}

function typeOf(doc) {
  if (doc.values !== undefined) return doc.values.map((value) => `\`${value}\``).join(', ');
  return doc.list === true ? 'list of sections' : doc.type;
}

function defaultOf(doc) {
  if (doc.unsupported !== undefined || doc.shownDefault === undefined) return '';
  const text = doc.shownDefault.replaceAll(/^"|"$/g, '');
  return doc.type === 'section' ? text : `\`${cell(text)}\``;
}

function meaningOf(doc) {
  const mark = doc.ours === true ? '**ours** ' : '';
  if (doc.unsupported !== undefined) return `${doc.description} *Not supported*: ${doc.unsupported}.`;
  return `${mark}${doc.description}${doc.inert === undefined ? '' : ` *Without effect*: ${doc.inert}.`}`;
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');
}

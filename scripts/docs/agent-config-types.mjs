/** agent/config/agent-config.generated.ts: the configuration as TypeScript types, read from the zod schemas beside the components. */
import { docOf } from '../../agent/config/field-doc.ts';
import { PROCESS_CONFIG } from '../../agent/config/process-config.ts';
import { COMPONENTS } from '../../agent/config/registry.ts';
import { PIPELINE_CONFIG } from '../../agent/config/service-config.ts';
import { SIGNALS } from '../../agent/config/settings.ts';
import { TELEMETRY_CONFIG } from '../../agent/telemetry/config.ts';

const FILE = 'agent/config/agent-config.generated.ts';

const HEAD = `/**
 * The configuration of the agent as types, in the Collector's grammar. Written by \`npm run docs\` from the schemas beside the components; do
 * not edit. \`null\` is a key that is there and empty.
 */

/** A reference that is the whole value: \`\${env:NAME}\`, \`\${env:NAME:-default}\`, \`\${file:PATH}\`. */
export type Reference = \`\\\${\${string}}\`;

/** Go's syntax, as \`200ms\`, \`5s\` or \`1h30m\`. A number is nanoseconds, as in the Collector. */
export type Duration = \`\${string}\${'ns' | 'us' | 'µs' | 'μs' | 'ms' | 's' | 'm' | 'h'}\` | Reference | number | bigint;

/** A list; one text with commas is a list of texts, too. */
export type List = readonly (string | number | bigint | boolean | null | { readonly [key: string]: unknown })[] | string;

/** Names and values. */
export type NameMap = { readonly [name: string]: unknown } | readonly { readonly name?: string; readonly value?: unknown }[];
`;

const LEAVES = {
  text: 'string',
  bool: 'boolean | Reference',
  integer: 'number | bigint | Reference',
  number: 'number | bigint | Reference',
  duration: 'Duration',
  list: 'List',
  map: 'NameMap',
  any: 'unknown',
};

export async function generate() {
  const parts = [HEAD, rootType()];
  for (const [section, components] of Object.entries(COMPONENTS)) {
    parts.push(sectionType(section, components));
    for (const one of components) parts.push(componentType(section, one));
  }
  parts.push(pipelinesType());
  parts.push(`${comment(docOf(PIPELINE_CONFIG).description, '')}export interface PipelineConfig ${body(docOf(PIPELINE_CONFIG), '')}\n`);
  parts.push(`${comment(docOf(TELEMETRY_CONFIG).description, '')}export interface TelemetryConfig ${body(docOf(TELEMETRY_CONFIG), '')}\n`);
  parts.push(
    `${comment('The section that the Collector does not have.', '')}export interface ProcessConfig ${body(docOf(PROCESS_CONFIG), '')}\n`,
  );
  return { [FILE]: parts.join('\n') };
}

function rootType() {
  const sections = Object.keys(COMPONENTS).map((section) => `  readonly ${section}?: ${pascal(section)}Config | null;\n`);
  return `/** A whole configuration. */
export interface AgentConfig {
${sections.join('')}  /** What runs. */
  readonly service?: ServiceConfig | null;
  /** Of the whole process; of this agent alone. */
  readonly agent?: ProcessConfig | null;
}

/** What runs. Components that no pipeline uses are checked and not started. */
export interface ServiceConfig {
  /** Extensions to start. */
  readonly extensions?: readonly string[] | null;
  readonly pipelines?: PipelinesConfig | null;
  /** The agent's own metrics and log. */
  readonly telemetry?: TelemetryConfig | null;
}
`;
}

function sectionType(section, components) {
  const keys = components.flatMap((one) =>
    [one.type, ...one.aliases].map((type) => entryOf(type, `${nameOf(section, one.type)} | null`, one.describe)),
  );
  return `/** \`${section}\`: by id, \`type\` or \`type/name\`. */\nexport interface ${pascal(section)}Config {\n${keys.join('')}}\n`;
}

function pipelinesType() {
  const keys = SIGNALS.map((signal) => entryOf(signal, 'PipelineConfig | null', `A pipeline of ${signal}.`));
  return `/** \`service.pipelines\`: by id, a signal or \`signal/name\`. */\nexport interface PipelinesConfig {\n${keys.join('')}}\n`;
}

function entryOf(type, value, describe) {
  return `${comment(describe, '  ')}  readonly ${type}?: ${value};\n  readonly [id: \`${type}/\${string}\`]: ${value} | undefined;\n`;
}

function componentType(section, { type, describe, config }) {
  return `${comment(describe, '')}export interface ${nameOf(section, type)} ${body(docOf(config), '')}\n`;
}

const nameOf = (section, type) => `${pascal(type)}${pascal(section.slice(0, -1))}Config`;

function pascal(name) {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

function body({ fields = {}, switchable }, indent) {
  const inner = `${indent}  `;
  const keys = Object.entries(fields).map(([key, schema]) => keyOf(key, docOf(schema), inner));
  if (switchable) keys.unshift(`${inner}/** false switches the section off. */\n${inner}readonly enabled?: boolean | Reference;\n`);
  return keys.length === 0 ? '{}' : `{\n${keys.join('')}${indent}}`;
}

function keyOf(key, doc, indent) {
  const notes = [
    doc.description,
    doc.ours ? 'A key of this agent alone.' : '',
    doc.inert === undefined ? '' : `Without effect: ${doc.inert}.`,
    doc.unsupported === undefined ? '' : `Not supported: ${doc.unsupported}.`,
    doc.shownDefault === undefined || doc.unsupported !== undefined ? '' : `@default ${doc.shownDefault.replaceAll(/^"|"$/g, '')}`,
  ];
  const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
  return `${comment(notes.filter((note) => note !== '').join(' '), indent)}${indent}readonly ${name}?: ${typeOf(doc, indent)};\n`;
}

function typeOf(doc, indent) {
  if (doc.unsupported !== undefined) return 'null';
  if (doc.fields !== undefined) {
    if (!doc.list) return `${body(doc, indent)} | null`;
    return `readonly (${doc.orText ? 'string | ' : ''}${body(doc, indent)})[] | null`;
  }
  if (doc.values === undefined) return `${LEAVES[doc.type]} | null`;
  // Any case, and still the names are offered.
  const open = doc.anyCase ? ' | (string & {})' : ' | Reference';
  return `${doc.values.map((value) => `'${value}'`).join(' | ')}${open} | null`;
}

function comment(text, indent) {
  return text === '' ? '' : `${indent}/** ${text.replaceAll('*/', '*\\/')} */\n`;
}

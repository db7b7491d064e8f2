import type * as z from 'zod/mini';
import { TELEMETRY_CONFIG } from '../telemetry/config.ts';
import type { FieldDoc, FieldType } from './field-doc.ts';
import { docOf } from './field-doc.ts';
import { PROCESS_CONFIG } from './process-config.ts';
import { COMPONENTS, type SectionName } from './registry.ts';
import { EXTENSION_LIST, PIPELINE_CONFIG } from './service-config.ts';
import { SIGNALS } from './settings.ts';

type JsonSchema = Record<string, unknown>;

/** A duration in YAML: Go's syntax, or nanoseconds. */
const DURATION: JsonSchema = { type: ['string', 'number', 'null'], pattern: '^[+-]?(0|((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h))+)$' };

const LEAVES: Readonly<Record<FieldType, JsonSchema>> = {
  text: { type: ['string', 'null'] },
  bool: { type: ['boolean', 'null'] },
  integer: { type: ['number', 'null'] },
  number: { type: ['number', 'null'] },
  duration: DURATION,
  choice: { type: ['string', 'null'] },
  list: { type: ['array', 'string', 'null'] },
  map: { type: ['object', 'array', 'null'] },
  section: { type: ['object', 'null'] },
  any: {},
};

/** JSON Schema (2020-12) of the whole configuration, made from the zod schemas of the components; for editors and for lint in CI. */
export function configJsonSchema(): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const section of Object.keys(COMPONENTS) as SectionName[]) {
    const patternProperties: Record<string, JsonSchema> = {};
    for (const { type, aliases, config, describe: text } of COMPONENTS[section]) {
      patternProperties[`^(${[type, ...aliases].join('|')})(/.+)?$`] = { ...schemaOf(config), description: text };
    }
    properties[section] = { type: ['object', 'null'], patternProperties, additionalProperties: false };
  }
  properties.service = {
    type: ['object', 'null'],
    properties: {
      telemetry: schemaOf(TELEMETRY_CONFIG),
      extensions: schemaOf(EXTENSION_LIST),
      pipelines: {
        type: 'object',
        patternProperties: { [`^(${SIGNALS.join('|')})(/.+)?$`]: schemaOf(PIPELINE_CONFIG) },
        additionalProperties: false,
      },
    },
    required: ['pipelines'],
    additionalProperties: false,
  };
  properties.agent = schemaOf(PROCESS_CONFIG);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of otlp-agent',
    type: 'object',
    properties,
    required: ['receivers', 'exporters', 'service'],
    additionalProperties: false,
  };
}

function schemaOf(schema: z.ZodMiniType): JsonSchema {
  const doc = docOf(schema);
  const description = describe(doc);
  if (doc.unsupported !== undefined) return { type: 'null', description: `${description} ${doc.unsupported}.` };
  if (doc.fields !== undefined) {
    const keys = Object.entries(doc.fields).map(([key, field]) => [key, schemaOf(field)] as const);
    const switches = doc.switchable === true ? { enabled: { type: 'boolean', description: 'false switches the section off.' } } : {};
    const map = { type: ['object', 'null'], properties: { ...switches, ...Object.fromEntries(keys) }, additionalProperties: false };
    const items = doc.orText === true ? { anyOf: [{ type: 'string' }, map] } : map;
    return doc.list === true ? { type: ['array', 'null'], items, description } : { ...map, description };
  }
  const shown = doc.shownDefault === undefined ? {} : { default: defaultOf(doc) };
  return { ...LEAVES[doc.type], ...allowed(doc), description, ...shown };
}

/** The values of a choice; where case does not matter as a pattern, as JSON Schema has no flag for it. */
function allowed({ values, anyCase }: FieldDoc): JsonSchema {
  if (values === undefined) return {};
  if (anyCase !== true) return { enum: [...values, null] };
  const letters = (value: string): string => [...value].map((letter) => `[${letter.toUpperCase()}${letter}]`).join('');
  return { pattern: `^(${values.map(letters).join('|')})$` };
}

function describe(doc: FieldDoc): string {
  const notes = [
    doc.description,
    doc.ours === true ? 'A key of this agent alone.' : '',
    doc.inert === undefined ? '' : `Without effect: ${doc.inert}.`,
  ];
  return notes.filter((note) => note !== '').join(' ');
}

/** As JSON where it is, as words where the reference shows words. */
function defaultOf({ shownDefault = '' }: FieldDoc): unknown {
  try {
    return JSON.parse(shownDefault) as unknown;
  } catch {
    return shownDefault;
  }
}

/**
 * Writes agent/otlp/json/schema.generated.ts from the committed .proto files: what the JSON mapping of OTLP needs of every message, one
 * line of words each, so that the agent parses no .proto when it starts. `--check` writes nothing and fails where the file is stale.
 *
 *   message: 'number jsonName type[ oneof]|...'     type: string, fixed64, id16 (hex of 16 bytes), :Enum, Message, *repeated
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const PROTO_DIR = fileURLToPath(new URL('../agent/otlp/proto/', import.meta.url));
const TARGET = fileURLToPath(new URL('../agent/otlp/json/schema.generated.ts', import.meta.url));
const SERVICES = {
  traces: ['trace/v1/trace_service', 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest'],
  metrics: ['metrics/v1/metrics_service', 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest'],
  logs: ['logs/v1/logs_service', 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest'],
  profiles: [
    'profiles/v1development/profiles_service',
    'opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest',
  ],
};
/** Bytes that JSON shows in hex (OTLP 1.11, "JSON Protobuf Encoding"), by their length; the Collector does the same with profile ids. */
const HEX = { traceId: 'id16', spanId: 'id8', parentSpanId: 'id8', profileId: 'id16' };

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => PROTO_DIR + target;
root.loadSync(Object.values(SERVICES).map(([file]) => `opentelemetry/proto/collector/${file}.proto`));
root.resolveAll();

/** `Span.Link`: the name without its package, which is unique among all of OTLP. */
const shortName = (type) => type.fullName.replace(/^\.opentelemetry\.proto\.(?:[a-z]+\.)*(?:v1|v1development)\./u, '');

const messages = new Map();
const enums = new Map();

function visit(type) {
  const name = shortName(type);
  const known = messages.get(name);
  if (known !== undefined) {
    if (known.type !== type) throw new Error(`two messages are called ${name}`);
    return;
  }
  const entry = { type, line: '' };
  messages.set(name, entry);
  const words = type.fieldsArray
    .toSorted((a, b) => a.id - b.id)
    .map((field) => {
      const oneof = field.partOf && !field.partOf.name.startsWith('_') ? ` ${field.partOf.name}` : '';
      return `${field.id} ${field.name} ${field.repeated ? '*' : ''}${wordOf(field)}${oneof}`;
    });
  entry.line = words.join('|');
}

function wordOf(field) {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) {
    visit(resolvedType);
    return shortName(resolvedType);
  }
  if (resolvedType instanceof protobuf.Enum) {
    const name = shortName(resolvedType);
    enums.set(
      name,
      Object.entries(resolvedType.values)
        .map(([value, number]) => `${value} ${number}`)
        .join('|'),
    );
    return `:${name}`;
  }
  return field.type === 'bytes' ? (HEX[field.name] ?? 'bytes') : field.type;
}

for (const [, request] of Object.values(SERVICES)) visit(root.lookupType(request));

const line = (name, text) => `  '${name}':\n    '${text}',\n`;
const text = `// Made by scripts/otlp-json-schema.mjs from agent/otlp/proto; do not edit.

/** The request of each signal. */
export const REQUESTS = {
${Object.entries(SERVICES)
  .map(([signal, [, request]]) => `  ${signal}: '${shortName(root.lookupType(request))}',\n`)
  .join('')}} as const;

/** number, JSON name, type (* repeated, : enum, id16 and id8 hex), oneof. */
export const MESSAGES: Readonly<Record<string, string>> = {
${[...messages].map(([name, entry]) => line(name, entry.line)).join('')}};

/** Names and numbers. */
export const ENUMS: Readonly<Record<string, string>> = {
${[...enums].map(([name, values]) => line(name, values)).join('')}};
`;

if (process.argv.includes('--check')) {
  if (readFileSync(TARGET, 'utf8') !== text) {
    process.stderr.write('agent/otlp/json/schema.generated.ts is stale: run node scripts/otlp-json-schema.mjs\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(TARGET, text);
}

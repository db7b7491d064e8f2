import type { ErrorEntry } from '../errors.ts';

/**
 * Everything that can be wrong with a configuration. Each is found before any port is bound, and the program exits with 1.
 * docs/reference/errors.md is generated from this table.
 */
export const CONFIG_ERRORS = {
  OTLP_CONFIG_SOURCE: {
    message: 'A --config cannot be read: the file is missing, the folder has no such file, or the scheme is not file, env or yaml.',
    remedy: 'Give the path of a YAML file, `file:PATH`, `env:NAME` or `yaml:TEXT`.',
  },
  OTLP_CONFIG_YAML: {
    message: 'The text is not YAML, or its top level is not a map.',
    remedy: 'Correct the line that the error names; indentation and tabs are the usual reasons.',
  },
  OTLP_CONFIG_EXPAND: {
    message: 'A reference in braces cannot be resolved: unknown scheme, invalid variable name, or a value that has no text.',
    remedy: 'Write env:NAME or env:NAME:-default between the braces after the dollar sign; a dollar sign itself is $$.',
  },
  OTLP_CONFIG_UNKNOWN_KEY: {
    message: 'A key that this component does not have.',
    remedy: 'Use the name that the error suggests, or one of those that it lists.',
  },
  OTLP_CONFIG_UNKNOWN_COMPONENT: {
    message: 'A component that this agent does not have.',
    remedy: '`otlp-agent components` lists those that it has; the gateway Collector can run the others.',
  },
  OTLP_CONFIG_ID: {
    message: 'A component or pipeline id is not `type` or `type/name`.',
    remedy: 'Letters, digits and _ before the slash, any visible name after it.',
  },
  OTLP_CONFIG_TYPE: {
    message: 'A value of the wrong type. Types are strict, as in the Collector: "5" is no number and 5 is no text.',
    remedy: 'Write the value as the error says; quotes make text, no quotes make numbers.',
  },
  OTLP_CONFIG_VALUE: {
    message: 'A value outside of what its key allows, or two keys that contradict each other.',
    remedy: 'The error names both values and the bound.',
  },
  OTLP_CONFIG_MISSING: {
    message: 'A key without a default is missing.',
    remedy: 'Add it.',
  },
  OTLP_CONFIG_REFERENCE: {
    message: 'A pipeline or service.extensions names a component that is not configured.',
    remedy: 'Configure it in its section, or correct the name.',
  },
  OTLP_CONFIG_PIPELINE: {
    message: 'A pipeline has no receiver or no exporter, names a processor twice, or a component does not carry its signal.',
    remedy: 'Each pipeline needs at least one receiver and one exporter that carry its signal.',
  },
  OTLP_CONFIG_UNSUPPORTED: {
    message: 'A key that the Collector has and this agent does not have yet: TLS, authentication, disk queues and a few more.',
    remedy: 'Remove it; where it protects data (TLS), keep that hop on the Collector until the agent has it.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type ConfigErrorCode = keyof typeof CONFIG_ERRORS;

import { type LoadedConfig, load } from '../../../agent/config/load.ts';
import { ConfigError, type Problem } from '../../../agent/config/problems.ts';

export interface YamlOptions {
  readonly sets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly totalMemoryBytes?: number;
}

/** A whole configuration around a few lines: `yaml:` has line numbers as a file has. */
export function loadYaml(text: string, options: YamlOptions = {}): LoadedConfig {
  return load({ configs: [`yaml:${text}`], environment: {}, ...options });
}

/** The problems of a configuration that must not load. */
export function problemsOf(text: string, options: YamlOptions = {}): readonly Problem[] {
  try {
    loadYaml(text, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** The smallest configuration that runs. */
export const MINIMAL = `receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:4317
exporters:
  otlp_grpc:
    endpoint: gateway:4317
    tls:
      insecure: true
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp_grpc]
`;

/** Where a program with a configuration in the Collector's grammar answers. */
import { list, type Mapping, mapping, typeOf } from './values.ts';

type Environment = { readonly [name: string]: string };

/** The address of the health extension; without one, /metrics answers as soon as everything runs. */
export function healthUrl(config: Mapping, environment: Environment): string {
  for (const [id, value] of Object.entries(mapping(config.extensions))) {
    const extension = mapping(value);
    if (typeOf(id) === 'health_check') {
      return `http://${expandVariables(String(extension.endpoint), environment)}${String(extension.path ?? '/')}`;
    }
    if (typeOf(id) === 'healthcheckv2') {
      const http = mapping(extension.http);
      const status = mapping(http.status);
      return `http://${expandVariables(String(http.endpoint), environment)}${String(status.path ?? '/status')}`;
    }
  }
  return metricsUrl(config, environment);
}

/** The /metrics of the program itself. */
export function metricsUrl(config: Mapping, environment: Environment): string {
  const readers = list(mapping(mapping(mapping(config.service).telemetry).metrics).readers);
  const { host, port } = mapping(mapping(mapping(mapping(readers[0]).pull).exporter).prometheus);
  return `http://${expandVariables(String(host ?? 'localhost'), environment)}:${Number(port ?? 8888)}/metrics`;
}

/** The local address of an otlp receiver's protocol. */
export function receiverAddress(config: Mapping, protocol: 'grpc' | 'http', environment: Environment): string | undefined {
  for (const [id, receiver] of Object.entries(mapping(config.receivers))) {
    const { endpoint } = mapping(mapping(mapping(receiver).protocols)[protocol]);
    if (typeOf(id) === 'otlp' && typeof endpoint === 'string') {
      return expandVariables(endpoint, environment);
    }
  }
  return undefined;
}

/** `${env:NAME}` and `${env:NAME:-default}`. */
export function expandVariables(text: string, environment: Environment): string {
  return text.replaceAll(/\$\{(?:env:)?(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback = '') => environment[name] || fallback);
}

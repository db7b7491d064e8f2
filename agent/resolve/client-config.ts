import { parsePort, splitHostPort } from '../config/address.ts';
import type { BuildContext } from '../config/component.ts';
import { duration, optionalText, text, textList } from '../config/fields.ts';
import { timeoutMs } from '../config/go-duration.ts';
import type { Output } from '../config/section.ts';
import type { PathStep } from '../config/tree.ts';
import type { ConsulSettings, EtcdSettings } from './settings.ts';

/** The keys that say how a Consul agent is reached; for the resolver and the registration. */
export const consulClientFields = {
  address: text({ describe: 'The Consul agent, http://host:port.', default: 'http://127.0.0.1:8500', ours: true }),
  datacenter: optionalText({ describe: 'Datacenter to ask, where it is not that of the Consul agent.', ours: true }),
  token: optionalText({ describe: 'ACL token; better from ${env:NAME}, or in token_file.', ours: true }),
  token_file: optionalText({ describe: 'File with the ACL token; read again for each request.', ours: true }),
};

/** The keys that say how an etcd is reached; for the resolver and the registration. */
export const etcdClientFields = {
  endpoints: textList({
    describe: 'Members of the etcd cluster, http://host:port; tried in turn.',
    default: ['http://127.0.0.1:2379'],
    ours: true,
  }),
  timeout: duration({ describe: 'Time for one request, and for the first answer of a watch.', default: 5_000, shows: '5s', ours: true }),
};

export function consulSettings(
  config: Output<typeof consulClientFields>,
  context: BuildContext,
  path: readonly PathStep[],
): ConsulSettings | undefined {
  const address = httpOrigin(config.address, context, [...path, 'address']);
  const token = nonEmpty(config.token);
  const tokenFile = nonEmpty(config.token_file);
  if (token !== undefined && tokenFile !== undefined) {
    context.report('OTLP_CONFIG_VALUE', [...path, 'token_file'], 'token and token_file exclude each other; remove one');
    return undefined;
  }
  return address === undefined ? undefined : { address, datacenter: nonEmpty(config.datacenter), token, tokenFile };
}

export function etcdSettings(
  config: Output<typeof etcdClientFields>,
  context: BuildContext,
  path: readonly PathStep[],
): EtcdSettings | undefined {
  if (config.endpoints.length === 0) {
    context.report('OTLP_CONFIG_MISSING', [...path, 'endpoints'], 'is empty; write http://host:port of at least one etcd');
    return undefined;
  }
  const endpoints = config.endpoints.map((endpoint, index) => httpOrigin(endpoint, context, [...path, 'endpoints', index]));
  if (!endpoints.every((endpoint) => endpoint !== undefined)) return undefined;
  return { endpoints: [...new Set(endpoints)], timeoutMs: timeoutMs(config.timeout) };
}

/** `host:port` or `http://host:port` as an origin; https is what is not there yet. */
function httpOrigin(written: string, context: BuildContext, path: readonly PathStep[]): string | undefined {
  if (written.startsWith('https://')) {
    context.report(
      'OTLP_CONFIG_UNSUPPORTED',
      path,
      `"${written}" begins with https://, and TLS is not supported yet; write http://host:port`,
    );
    return undefined;
  }
  const rest = (written.startsWith('http://') ? written.slice('http://'.length) : written).replace(/\/$/u, '');
  const parts = splitHostPort(rest);
  const port = typeof parts === 'string' ? undefined : parsePort(parts.port);
  if (typeof parts === 'string' || parts.host === '' || port === undefined || port === 0 || !URL.canParse(`http://${rest}`)) {
    context.report('OTLP_CONFIG_VALUE', path, `"${written}" is no address; write http://host:port`);
    return undefined;
  }
  return `http://${rest}`;
}

/** An optional text that is empty is absent. */
export function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** The only changes to what was printed: addresses, and the paths of the files. Every change is kept, so that the output can name it. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { isMapping, list, type Mapping, mapping, typeOf } from './values.ts';

export const LOCAL = '127.0.0.1';

/**
 * Below the ports that systems hand out by themselves (from 32768 on Linux, 49152 elsewhere): between our look and the program's bind, no
 * outgoing connection and no `listen(0)` of another program can take one.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** One value that the rehearsal changed. */
export interface Change {
  /** `otlp-agent agent.yaml`, `otlp-agent variables`: the container and its file. */
  readonly where: string;
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

/** Local addresses instead of printed ones, from a stock of free ports: the same printed address gets the same port again. */
export class LocalAddresses {
  private readonly free: number[];
  private readonly ports = new Map<string, number>();
  private readonly peers = new Map<string, string>();

  private constructor(free: number[]) {
    this.free = free;
  }

  /** Ports that nobody listens on now. */
  static async reserve(count: number): Promise<LocalAddresses> {
    const free = new Set<number>();
    for (let tries = 0; free.size < count; tries++) {
      const port = randomInt(FIRST_PORT, LAST_PORT);
      if (!free.has(port) && (await isFree(port))) {
        free.add(port);
      }
      if (tries > count * 100) {
        throw new Error(`fewer than ${count} free ports between ${FIRST_PORT} and ${LAST_PORT} of ${LOCAL}`);
      }
    }
    return new LocalAddresses([...free]);
  }

  /** A free port for a printed one of a program. */
  portOf(program: string, printedPort: number | string): number {
    const key = `${program}:${printedPort}`;
    const port = this.ports.get(key) ?? this.free.pop();
    if (port === undefined) {
      throw new Error(`no free port is left for ${key}: the configuration opens more ports than the rehearsal reserved`);
    }
    this.ports.set(key, port);
    return port;
  }

  /** From now on the printed address of another program means the local one. */
  redirect(printed: string, local: string): void {
    this.peers.set(printed, local);
  }

  /** The local address of another program; undefined where the rehearsal does not run it. */
  peer(printed: string): string | undefined {
    return this.peers.get(printed);
  }

  /** The text with every redirected address replaced. */
  redirected(text: string): string {
    let result = text;
    for (const [printed, local] of this.peers) {
      result = result.replaceAll(new RegExp(`(?<![\\w.-])${escapeRegExp(printed)}(?![\\w.-])`, 'g'), local);
    }
    return result;
  }
}

/**
 * A configuration in the Collector's grammar with local addresses: what it listens on gets a free port, hosts stay as they are
 * (`localhost`, `${env:MY_POD_IP}`); what it sends to is redirected.
 *
 * @param program whose ports these are
 * @param where names the file in `changes`
 */
export function localCollectorConfig(
  config: unknown,
  program: string,
  where: string,
  addresses: LocalAddresses,
  changes: Change[],
): Mapping {
  const change = (key: string, from: string, to: string): string => {
    if (from !== to) {
      changes.push({ where, key, from, to });
    }
    return to;
  };
  const listen = (key: string, address: string): string =>
    change(
      key,
      address,
      address.replace(/:(\d+)$/, (_, port: string) => `:${addresses.portOf(program, port)}`),
    );
  const send = (key: string, address: string): string => change(key, address, addresses.redirected(address));
  const root = mapping(config);
  const exporters = Object.entries(mapping(root.exporters)).map(([id, exporter]) => {
    const edit = typeOf(id) === 'prometheus' ? listen : send;
    return [id, editKeys(exporter, ['endpoint', 'endpoints'], `exporters.${id}`, edit)];
  });
  return {
    ...root,
    receivers: editKeys(withDefaultEndpoints(root.receivers), ['endpoint'], 'receivers', listen),
    ...(root.extensions === undefined ? {} : { extensions: editKeys(root.extensions, ['endpoint'], 'extensions', listen) }),
    exporters: Object.fromEntries(exporters),
    service: localTelemetry(mapping(root.service), (port) => {
      const local = addresses.portOf(program, port);
      change('service.telemetry.metrics.readers[].port', String(port), String(local));
      return local;
    }),
  };
}

/** What the Collector assumes where the protocol is named without an endpoint, spelled out so that its port can move. */
function withDefaultEndpoints(receivers: unknown): Mapping {
  const defaults: { readonly [protocol: string]: string } = { grpc: 'localhost:4317', http: 'localhost:4318' };
  const entries = Object.entries(mapping(receivers)).map(([id, receiver]) => {
    if (typeOf(id) !== 'otlp') {
      return [id, receiver];
    }
    const protocols = Object.entries(mapping(mapping(receiver).protocols)).map(([name, protocol]) => [
      name,
      { endpoint: defaults[name], ...mapping(protocol) },
    ]);
    return [id, { ...mapping(receiver), protocols: Object.fromEntries(protocols) }];
  });
  return Object.fromEntries(entries);
}

/** Every text at one of the keys, at any depth. */
function editKeys(value: unknown, keys: readonly string[], path: string, edit: (path: string, text: string) => string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => editKeys(item, keys, `${path}[${index}]`, edit));
  }
  if (!isMapping(value)) {
    return value;
  }
  const entries = Object.entries(value).map(([key, item]) => {
    const at = `${path}.${key}`;
    if (keys.includes(key) && typeof item === 'string') {
      return [key, edit(at, item)];
    }
    if (keys.includes(key) && Array.isArray(item)) {
      return [key, item.map((each) => (typeof each === 'string' ? edit(at, each) : each))];
    }
    return [key, editKeys(item, keys, at, edit)];
  });
  return Object.fromEntries(entries);
}

function localTelemetry(service: Mapping, portOf: (printed: number) => number): Mapping {
  const telemetry = mapping(service.telemetry);
  const metrics = mapping(telemetry.metrics);
  const readers = list(metrics.readers).map((reader) => {
    const pull = mapping(mapping(reader).pull);
    const exporter = mapping(pull.exporter);
    const prometheus = mapping(exporter.prometheus);
    if (typeof prometheus.port !== 'number') {
      return reader;
    }
    const moved = { ...prometheus, port: portOf(prometheus.port) };
    return { ...mapping(reader), pull: { ...pull, exporter: { ...exporter, prometheus: moved } } };
  });
  return readers.length === 0 ? service : { ...service, telemetry: { ...telemetry, metrics: { ...metrics, readers } } };
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, LOCAL, () => server.close(() => resolve(true)));
  });
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

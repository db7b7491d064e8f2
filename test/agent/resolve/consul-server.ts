/**
 * A stand-in for a Consul agent. Consul itself cannot be had here (its licence and its distribution keep it out of the real lane), so this
 * is written after its documented HTTP API, and nothing here shows more than that documentation does:
 *   https://developer.hashicorp.com/consul/api-docs/features/blocking   (index, wait, X-Consul-Index, X-Consul-KnownLeader)
 *   https://developer.hashicorp.com/consul/api-docs/health              (/v1/health/service/:service, passing, tag, dc)
 *   https://developer.hashicorp.com/consul/api-docs/agent/service       (register, deregister)
 *   https://developer.hashicorp.com/consul/api-docs/agent/check         (update of a TTL check)
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ownPort } from '../kit/ports.ts';

export interface Instance {
  readonly ID: string;
  readonly Name: string;
  readonly Address: string;
  readonly Port: number;
  readonly Tags: readonly string[];
  readonly Weights: { readonly Passing: number; readonly Warning: number };
  readonly Check?: { readonly CheckID: string; readonly TTL: string; readonly DeregisterCriticalServiceAfter: string };
  status: 'passing' | 'warning' | 'critical';
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly token: string | undefined;
  readonly body: string;
}

export class ConsulServer {
  readonly instances = new Map<string, Instance>();
  readonly asked: Asked[] = [];
  index = 100;
  /** The ACL token that is asked for; none: nothing is. */
  token: string | undefined;
  /** What X-Consul-KnownLeader says. */
  knownLeader = true;
  /** Answers instead of the API, while it is set. */
  hostile: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #changed = new Set<() => void>();
  readonly #seen = new Set<() => void>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => void this.#handle(request, response));
  }

  static async start(port?: number): Promise<ConsulServer> {
    const at = port ?? (await ownPort());
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(at, '127.0.0.1', resolve);
    });
    return new ConsulServer(server);
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Adds or replaces an instance of the service `otlp`. */
  put(id: string, address: string, port: number, more: Partial<Instance> = {}): void {
    this.instances.set(id, {
      ID: id,
      Name: 'otlp',
      Address: address,
      Port: port,
      Tags: [],
      Weights: { Passing: 1, Warning: 1 },
      status: 'passing',
      ...more,
    });
    this.touch();
  }

  remove(id: string): void {
    this.instances.delete(id);
    this.touch();
  }

  /** Something changed: the index goes up and blocked queries are answered. */
  touch(): void {
    this.index += 1;
    for (const wake of [...this.#changed]) wake();
  }

  /** Resolves as soon as a request fits, those of the past included. */
  untilAsked(fits: (asked: Asked) => boolean): Promise<Asked> {
    const { promise, resolve } = Promise.withResolvers<Asked>();
    const look = (): void => {
      const found = this.asked.find(fits);
      if (found === undefined) return;
      this.#seen.delete(look);
      resolve(found);
    };
    this.#seen.add(look);
    look();
    return promise;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://consul');
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    const header = request.headers['x-consul-token'];
    const asked: Asked = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: Object.fromEntries(url.searchParams),
      token: typeof header === 'string' ? header : undefined,
      body,
    };
    this.asked.push(asked);
    for (const look of [...this.#seen]) look();
    if (this.hostile !== undefined) this.hostile(request, response);
    else if (this.token !== undefined && asked.token !== this.token)
      answer(response, 403, 'Permission denied: token with AccessorID lacks permission');
    else if (asked.path.startsWith('/v1/health/service/')) await this.#health(asked, request, response);
    else this.#agent(asked, response);
  }

  async #health({ path, query }: Asked, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (query.index !== undefined && Number(query.index) >= this.index) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Number.parseInt(query.wait ?? '300', 10) * 1000);
      this.#changed.add(resolve);
      request.socket.once('close', resolve);
      await promise;
      this.#changed.delete(resolve);
      clearTimeout(timer);
      if (request.socket.destroyed) return;
    }
    const found = [...this.instances.values()]
      .filter(({ Name }) => path === `/v1/health/service/${Name}`)
      .filter(({ status }) => query.passing === undefined || status === 'passing')
      .filter(({ Tags }) => query.tag === undefined || Tags.includes(query.tag))
      .map(({ status, Check, Name, ...service }) => ({
        Node: { Node: 'node-1', Address: '127.9.9.9', Datacenter: query.dc ?? 'dc1' },
        Service: { ...service, Service: Name },
        Checks: [{ CheckID: Check?.CheckID ?? 'serfHealth', Status: status }],
      }));
    response.setHeader('X-Consul-Index', String(this.index));
    response.setHeader('X-Consul-KnownLeader', String(this.knownLeader));
    answer(response, 200, JSON.stringify(found));
  }

  #agent({ method, path, body }: Asked, response: ServerResponse): void {
    const [, name, id = ''] = /^\/v1\/agent\/(service\/register|service\/deregister|check\/update)\/?(.*)$/u.exec(path) ?? [];
    if (method !== 'PUT' || name === undefined) {
      answer(response, 404, 'Invalid URL path');
    } else if (name === 'service/register') {
      const { Check, ...service } = JSON.parse(body) as Omit<Instance, 'Check'> & {
        Check: NonNullable<Instance['Check']> & { Status: Instance['status'] };
      };
      this.put(service.ID, service.Address, service.Port, { ...service, Check, status: Check.Status });
      answer(response, 200, '');
    } else if (name === 'service/deregister') {
      const known = this.instances.has(id);
      this.remove(id);
      answer(response, known ? 200 : 404, known ? '' : `Unknown service ID "${id}"`);
    } else {
      const instance = [...this.instances.values()].find(({ Check }) => Check?.CheckID === id);
      if (instance !== undefined) {
        instance.status = (JSON.parse(body) as { Status: Instance['status'] }).Status;
        this.touch();
      }
      answer(
        response,
        instance === undefined ? 404 : 200,
        instance === undefined ? `Unknown check ID "${id}". Ensure that the check ID is passed, not the check name.` : '',
      );
    }
  }
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

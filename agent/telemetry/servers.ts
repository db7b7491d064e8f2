import { createServer, type Server, type ServerResponse } from 'node:http';
import type { HealthCheckSettings, SocketAddress } from '../config/settings.ts';
import { listen } from '../receive/listen.ts';
import type { AgentStatus } from './status.ts';

/** Whether the agent lives and whether it wants traffic. */
export interface Health {
  /** False before start() has ended, while draining and while the memory limit refuses. */
  ready(): boolean;
  /** Why not, in words. */
  reason(): string;
  /** Pipeline by pipeline, with the load of the process. */
  status(): Promise<AgentStatus>;
}

/** Registry.PROMETHEUS_CONTENT_TYPE of the client, which is not loaded before the first scrape. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A small HTTP server with fixed paths: metrics, health. */
export class SideServer {
  readonly #server: Server;
  readonly #wanted: SocketAddress;
  readonly #key: string;
  address: SocketAddress;

  constructor(address: SocketAddress, key: string, answer: (path: string, response: ServerResponse) => void) {
    this.#wanted = address;
    this.#key = key;
    this.address = address;
    this.#server = createServer((request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        send(response, 405, 'text/plain', 'only GET is allowed\n');
        return;
      }
      answer((request.url ?? '/').split('?', 1)[0] as string, response);
    });
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  async start(): Promise<void> {
    this.address = await listen(this.#server, this.#wanted, this.#key);
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }
}

export function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** `/metrics` in the Prometheus text format. */
export function metricsServer(address: SocketAddress, metrics: () => Promise<string>): SideServer {
  return new SideServer(address, 'service.telemetry.metrics', (path, response) => {
    if (path !== '/metrics') {
      send(response, 404, 'text/plain', 'only /metrics is here\n');
      return;
    }
    metrics().then(
      (text) => send(response, 200, METRICS_CONTENT_TYPE, text),
      (error: Error) => send(response, 500, 'text/plain', `${error.message}\n`),
    );
  });
}

/** Extension health_check: its path, and beside it /livez (the process answers), /readyz (send traffic) and /status (how each pipeline is). */
export function healthServer(settings: HealthCheckSettings, health: Health, startedAt: Date): SideServer {
  return new SideServer(settings.address, `extensions.${settings.id}.endpoint`, (path, response) => {
    if (path === '/livez') {
      send(response, 200, 'text/plain', 'ok\n');
      return;
    }
    const ready = health.ready();
    if (path === '/readyz') {
      send(response, ready ? 200 : 503, 'text/plain', ready ? 'ok\n' : `${health.reason()}\n`);
      return;
    }
    if (path === '/status') {
      health.status().then(
        (status) => send(response, ready ? 200 : 503, 'application/json', `${JSON.stringify(status, null, 2)}\n`),
        (error: Error) => send(response, 500, 'text/plain', `${error.message}\n`),
      );
      return;
    }
    if (path !== settings.path) {
      send(response, 404, 'text/plain', `only ${settings.path}, /livez, /readyz and /status are here\n`);
      return;
    }
    const upSince = startedAt.toISOString();
    const uptime = `${(Date.now() - startedAt.getTime()) / 1000}s`;
    const body = ready ? { status: 'Server available', upSince, uptime } : { status: 'Server not available', reason: health.reason() };
    send(response, ready ? 200 : 503, 'application/json', JSON.stringify(body));
  });
}

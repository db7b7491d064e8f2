import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The body that Alertmanager posts to a webhook receiver (version 4), as far as tests look at it. */
export interface Notification {
  readonly status: 'firing' | 'resolved';
  readonly receiver: string;
  readonly groupLabels: { readonly [label: string]: string };
  readonly commonLabels: { readonly [label: string]: string };
  readonly alerts: readonly {
    readonly status: 'firing' | 'resolved';
    readonly labels: { readonly [label: string]: string };
    readonly annotations: { readonly [name: string]: string };
  }[];
}

export interface ReceivedNotification {
  readonly path: string;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: Notification;
}

/** The place where a fired alert ends in the tests: a webhook that keeps what it got. */
export class WebhookReceiver {
  readonly received: ReceivedNotification[] = [];
  readonly url: string;
  private readonly server: Server;
  private readonly waiting = new Set<() => void>();

  private constructor(server: Server) {
    this.server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Notification;
        this.received.push({ path: request.url ?? '/', headers: request.headers, body });
        response.end();
        for (const look of [...this.waiting]) look();
      });
    });
  }

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WebhookReceiver(server);
  }

  /** Resolves with the first notification, past or coming, that holds an alert of that name and status. */
  async waitForAlert(alertname: string, status: 'firing' | 'resolved', timeoutMs = 150_000): Promise<ReceivedNotification> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        const seen = this.received.flatMap(({ body }) => body.alerts.map((alert) => `${alert.labels.alertname} ${alert.status}`));
        reject(new Error(`no ${status} ${alertname} within ${timeoutMs} ms; received: ${seen.join(', ') || 'nothing'}`));
      }, timeoutMs);
      const look = (): void => {
        const hit = this.received.find(({ body }) =>
          body.alerts.some((each) => each.labels.alertname === alertname && each.status === status),
        );
        if (hit === undefined) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(hit);
      };
      this.waiting.add(look);
      look();
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

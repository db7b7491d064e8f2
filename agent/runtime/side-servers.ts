import type { AgentSettings, SocketAddress } from '../config/settings.ts';
import type { Registration } from '../register/registration.ts';
import type { Log } from '../telemetry/log.ts';
import { type Health, metricsServer, type SideServer } from '../telemetry/servers.ts';
import { aborted } from './aborted.ts';
import { createExtension, type Extension } from './extension.ts';
import { fingerprint, type Kept } from './fingerprint.ts';

/** What stands beside the line of data: the metrics server and the extensions. */
export class SideServers {
  readonly #metricsText: () => Promise<string>;
  readonly #health: Health;
  readonly #log: Log;
  #metrics: Kept<SideServer> | undefined;
  #extensions: readonly Kept<Extension>[];

  constructor(settings: AgentSettings, metricsText: () => Promise<string>, health: Health, log: Log) {
    this.#metricsText = metricsText;
    this.#health = health;
    this.#log = log;
    this.#metrics = this.#wantedMetrics(settings);
    this.#extensions = this.#wantedExtensions(settings);
  }

  get addresses(): Readonly<Record<string, SocketAddress>> {
    const found: Record<string, SocketAddress> = {};
    if (this.#metrics !== undefined) found.metrics = this.#metrics.part.address;
    for (const { part } of this.#extensions) if (part.address !== undefined) found[part.id] = part.address;
    return found;
  }

  get registrations(): readonly Registration[] {
    return this.#extensions.map(({ part }) => part.registration).filter((one) => one !== undefined);
  }

  async start(): Promise<void> {
    await this.#metrics?.part.start();
    for (const { part } of this.#extensions) await part.start();
  }

  /**
   * Starts what is new, lets `line` change, ends what is gone; where anything rejects, the new is ended and the old stays. An address that
   * both the old and the new want is freed first, as two servers cannot have it: those few probes in between are not answered.
   */
  async reload(settings: AgentSettings, line: () => Promise<void>): Promise<void> {
    const metrics = this.#wantedMetrics(settings);
    const extensions = this.#wantedExtensions(settings);
    const fresh: (SideServer | Extension)[] = [];
    if (metrics !== undefined && metrics !== this.#metrics) fresh.push(metrics.part);
    for (const one of extensions) if (!this.#extensions.includes(one)) fresh.push(one.part);
    const gone: (SideServer | Extension)[] = this.#extensions.filter((one) => !extensions.includes(one)).map(({ part }) => part);
    if (this.#metrics !== undefined && this.#metrics !== metrics) gone.push(this.#metrics.part);
    const inTheWay = gone.filter((old) => fresh.some((one) => sameAddress(one.address, old.address)));
    await Promise.all(inTheWay.map((one) => one.close()));
    const started: (SideServer | Extension)[] = [];
    try {
      for (const one of fresh) {
        await one.start();
        started.push(one);
      }
      await line();
    } catch (error) {
      await Promise.all(started.map((one) => one.close()));
      for (const one of inTheWay) await one.start();
      throw error;
    }
    this.#metrics = metrics;
    this.#extensions = extensions;
    await Promise.all(gone.filter((one) => !inTheWay.includes(one)).map((one) => one.close()));
  }

  async drain(deadline: AbortSignal): Promise<void> {
    await Promise.race([Promise.all(this.#extensions.map(({ part }) => part.drain())), aborted(deadline)]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#extensions.map(({ part }) => part.close()));
    await this.#metrics?.part.close();
  }

  #wantedMetrics({ telemetry: { metrics } }: AgentSettings): Kept<SideServer> | undefined {
    if (metrics === undefined) return undefined;
    const print = fingerprint(metrics);
    if (this.#metrics?.print === print) return this.#metrics;
    return { print, part: metricsServer(metrics.address, this.#metricsText) };
  }

  #wantedExtensions({ extensions }: AgentSettings): Kept<Extension>[] {
    return extensions.map((settings) => {
      const print = fingerprint(settings);
      const old = this.#extensions?.find((one) => one.print === print);
      return old ?? { print, part: createExtension(settings, this.#health, this.#log) };
    });
  }
}

function sameAddress(a: SocketAddress | undefined, b: SocketAddress | undefined): boolean {
  return a !== undefined && b !== undefined && fingerprint(a) === fingerprint(b);
}

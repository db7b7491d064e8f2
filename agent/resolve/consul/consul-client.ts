import { readFile } from 'node:fs/promises';
import { type HttpAnswer, HttpClient } from '../http-client.ts';
import type { ConsulSettings } from '../settings.ts';

/** A service of 10 000 instances is about 10 MiB. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export interface ConsulRequest {
  readonly method?: 'GET' | 'PUT';
  readonly path: string;
  /** `dc` is added. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One Consul agent's HTTP API. https://developer.hashicorp.com/consul/api-docs */
export class ConsulClient {
  readonly #settings: ConsulSettings;
  readonly #http: HttpClient;

  constructor(settings: ConsulSettings) {
    this.#settings = settings;
    this.#http = new HttpClient(settings.address);
  }

  async ask({ method = 'GET', path, query = {}, body, timeoutMs, signal }: ConsulRequest): Promise<HttpAnswer> {
    const { datacenter, token, tokenFile } = this.#settings;
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...query, dc: datacenter })) if (value !== undefined) search.set(name, value);
    const secret = tokenFile === undefined ? token : (await readFile(tokenFile, 'utf8')).trim();
    return await this.#http.request({
      method,
      path: search.size === 0 ? path : `${path}?${search}`,
      headers: {
        ...(secret === undefined ? {} : { 'x-consul-token': secret }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }
}

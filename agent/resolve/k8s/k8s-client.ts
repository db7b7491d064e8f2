import { readFile } from 'node:fs/promises';
import { type HttpAnswer, HttpClient, type LineReader } from '../http-client.ts';
import type { K8sResolverSettings } from '../settings.ts';

/** A page of a list: 100 EndpointSlices of 100 endpoints are about 6 MiB. */
const MAX_LIST_BYTES = 16 * 1024 * 1024;
/** One watch event: an object in etcd has 1.5 MiB at the most, its JSON a few times that. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/** What the environment of every pod says. */
const HOST_VARIABLE = 'KUBERNETES_SERVICE_HOST';
const PORT_VARIABLE = 'KUBERNETES_SERVICE_PORT';

export interface K8sRequest {
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * The Kubernetes API with the ServiceAccount of the pod: the token (the kubelet renews it every hour) and the certificates are read again
 * for each request. This TLS client is the resolver's alone.
 */
export class K8sClient {
  readonly #settings: K8sResolverSettings;
  #http: HttpClient | undefined;
  #ca: string | undefined;

  constructor(settings: K8sResolverSettings) {
    this.#settings = settings;
  }

  async get({ path, timeoutMs, signal }: K8sRequest): Promise<HttpAnswer> {
    const { http, base, headers } = await this.#prepare();
    return await http.request({ path: base + path, headers, timeoutMs, maxBytes: MAX_LIST_BYTES, signal });
  }

  /** The lines of a watch; resolves when the server ends it. */
  async watch({ path, timeoutMs, signal }: K8sRequest, reader: LineReader): Promise<void> {
    const { http, base, headers } = await this.#prepare();
    await http.lines({ path: base + path, headers, timeoutMs, maxBytes: MAX_EVENT_BYTES, signal }, reader);
  }

  async close(): Promise<void> {
    await this.#http?.close();
    this.#http = undefined;
  }

  async #prepare(): Promise<{ readonly http: HttpClient; readonly base: string; readonly headers: Readonly<Record<string, string>> }> {
    const { tokenFile, caFile } = this.#settings;
    const { origin, protocol, pathname } = this.#url();
    const ca = protocol === 'https:' ? await readFile(caFile, 'utf8') : undefined;
    const token = (await readFile(tokenFile, 'utf8')).trim();
    if (this.#http === undefined || ca !== this.#ca) {
      await this.#http?.close();
      this.#http = new HttpClient(origin, ca);
      this.#ca = ca;
    }
    // A server behind a gateway may have a path of its own.
    return {
      http: this.#http,
      base: pathname.replace(/\/+$/u, ''),
      headers: { accept: 'application/json', authorization: `Bearer ${token}` },
    };
  }

  #url(): URL {
    if (this.#settings.apiServer !== undefined) return new URL(this.#settings.apiServer);
    const host = process.env[HOST_VARIABLE];
    const port = process.env[PORT_VARIABLE];
    if (host === undefined || port === undefined)
      throw new Error(`${HOST_VARIABLE} and ${PORT_VARIABLE} are not set: this is no pod; write resolver.k8s.api_server`);
    return new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  }
}

/** The namespace of the pod, or `default`, as in the Collector. */
export async function ownNamespace(tokenFile: string): Promise<string> {
  try {
    const text = (await readFile(tokenFile.replace(/[^/]*$/u, 'namespace'), 'utf8')).trim();
    return text === '' ? 'default' : text;
  } catch {
    return 'default';
  }
}

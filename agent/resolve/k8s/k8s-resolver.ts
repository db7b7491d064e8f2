import type { Log } from '../../telemetry/log.ts';
import { pause } from '../ask-loop.ts';
import { AskingResolver } from '../asking-resolver.ts';
import { asList, asMap, asText, HttpStatusError, ProtocolError, parseJson, statusError } from '../http-client.ts';
import type { Upstream } from '../resolver.ts';
import { MAX_UPSTREAMS } from '../resolver-state.ts';
import type { K8sResolverSettings } from '../settings.ts';
import { type SliceRules, upstreamsOf } from './endpoint-slices.ts';
import { K8sClient, ownNamespace } from './k8s-client.ts';

/** EndpointSlices of one page of the list. */
const PAGE_SIZE = 100;
/** More slices are no answer: 10 000 upstreams, each in two of them, are 200. */
const MAX_SLICES = 2_000;
/** Beyond the time that the server was told to end the watch in: a connection that died silently is given up then. */
const WATCH_MARGIN_MS = 10_000;
/** Between two watches, doubled for each 410 in a row: a server that ends each at once is not asked in a circle. */
const PACE_MS = 250;
const MAX_PACE_MS = 8_000;

/**
 * The ready pods of a Kubernetes Service: one list of its EndpointSlices, then one watch after the other from the last resourceVersion.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 *
 *   list (pages) ─▶ resourceVersion ─▶ watch ─┬─ ADDED, MODIFIED, DELETED: one slice replaced, the whole list computed again
 *     ▲                                       ├─ BOOKMARK: only the resourceVersion goes on
 *     └── 410 Gone (status or ERROR event) ◀──┴─ ended by the server, or broken: the next watch from the last resourceVersion
 */
export class K8sResolver extends AskingResolver {
  readonly #settings: K8sResolverSettings;
  readonly #client: K8sClient;
  /** What each slice gives, by its name. */
  readonly #slices = new Map<string, readonly Upstream[]>();
  #rules: SliceRules | undefined;
  /** Where the next watch begins; undefined asks for a list. */
  #version: string | undefined;
  /** How often in a row a watch could not go on. */
  #gone = 0;

  constructor(settings: K8sResolverSettings, log: Log) {
    const { service, namespace } = settings;
    super('k8s', `the Service ${service}${namespace === undefined ? '' : `.${namespace}`}`, log);
    this.#settings = settings;
    this.#client = new K8sClient(settings);
  }

  protected override async disconnect(): Promise<void> {
    await this.#client.close();
  }

  protected override async round(signal: AbortSignal, answered: () => void): Promise<void> {
    const settings = this.#settings;
    this.#rules ??= { ...settings, namespace: settings.namespace ?? (await ownNamespace(settings.tokenFile)) };
    if (this.#version === undefined) {
      this.#version = await this.#list(this.#rules, signal);
      answered();
    }
    await this.#watch(this.#rules, this.#version, signal, answered);
    await pause(Math.min(PACE_MS * 2 ** this.#gone, MAX_PACE_MS) * (0.75 + Math.random() / 2), signal);
  }

  /** Reads all pages, and only then replaces what was known. */
  async #list(rules: SliceRules, signal: AbortSignal): Promise<string> {
    const found = new Map<string, readonly Upstream[]>();
    let next: string | undefined;
    for (let page = 0; page * PAGE_SIZE < MAX_SLICES; page += 1) {
      const answer = await this.#client.get({
        path: pathOf(rules, { limit: String(PAGE_SIZE), continue: next }),
        timeoutMs: this.#settings.timeoutMs,
        signal,
      });
      if (answer.status !== 200) throw statusError(answer);
      const list = asMap(parseJson(answer.body));
      if (list.kind !== 'EndpointSliceList') throw new Error('the answer is no EndpointSliceList; is this the address of an API server?');
      for (const item of asList(list.items)) found.set(nameOf(item), upstreamsOf(item, rules));
      checkSize(found);
      const metadata = asMap(list.metadata);
      next = asText(metadata.continue);
      if (next !== undefined) continue;
      const version = asText(metadata.resourceVersion);
      if (version === undefined) throw new Error('the list has no resourceVersion');
      this.#slices.clear();
      for (const [name, upstreams] of found) this.#slices.set(name, upstreams);
      this.#publish();
      return version;
    }
    throw new Error(`the list has more than ${MAX_SLICES} slices`);
  }

  async #watch(rules: SliceRules, version: string, signal: AbortSignal, answered: () => void): Promise<void> {
    const { timeoutMs } = this.#settings;
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: version,
      timeoutSeconds: String(Math.max(Math.round(timeoutMs / 1000), 1)),
    };
    const opened = (): void => {
      // Whatever is new since `version` comes as an event; until then nothing has changed.
      this.#publish();
      answered();
    };
    try {
      await this.#client.watch(
        { path: pathOf(rules, query), timeoutMs: timeoutMs + WATCH_MARGIN_MS, signal },
        { opened, line: (line) => this.#event(rules, line) },
      );
      this.#gone = 0;
    } catch (error) {
      // A connection that broke goes on where it was; whatever the server refuses or says wrong begins with a new list.
      if (error instanceof HttpStatusError || error instanceof ProtocolError) this.#version = undefined;
      if (!(error instanceof GoneError) && !(error instanceof HttpStatusError && error.status === GONE)) throw error;
      this.#gone += 1;
    }
  }

  #event(rules: SliceRules, line: string): void {
    const event = asMap(parseJson(line));
    const object = asMap(event.object);
    if (event.type === 'ERROR') {
      if (object.code === GONE) throw new GoneError('the resourceVersion is gone');
      throw new ProtocolError(`the watch ended: ${asText(object.message) ?? 'without a reason'}`);
    }
    const version = asText(asMap(object.metadata).resourceVersion);
    if (version === undefined) throw new ProtocolError('a watch event has no resourceVersion');
    this.#gone = 0;
    if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#slices.set(nameOf(object), upstreamsOf(object, rules));
    else if (event.type === 'DELETED') this.#slices.delete(nameOf(object));
    else if (event.type !== 'BOOKMARK')
      throw new ProtocolError(`a watch event has the unknown type ${JSON.stringify(event.type)?.slice(0, 40)}`);
    checkSize(this.#slices);
    this.#version = version;
    if (event.type !== 'BOOKMARK') this.#publish();
  }

  #publish(): void {
    this.state.resolved([...this.#slices.values()].flat());
  }
}

/** What is held has a limit, doubles included: an endpoint may stand in two slices. */
function checkSize(slices: ReadonlyMap<string, readonly Upstream[]>): void {
  let upstreams = 0;
  for (const one of slices.values()) upstreams += one.length;
  if (slices.size > MAX_SLICES || upstreams > 2 * MAX_UPSTREAMS)
    throw new ProtocolError(`${slices.size} slices with ${upstreams} upstreams are more than ${MAX_SLICES} with ${2 * MAX_UPSTREAMS}`);
}

/** HTTP 410: what asks for a new list. */
const GONE = 410;

class GoneError extends ProtocolError {}

function pathOf({ namespace, service }: SliceRules, query: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams({ labelSelector: `kubernetes.io/service-name=${service}` });
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value);
  return `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${search}`;
}

function nameOf(slice: unknown): string {
  const name = asText(asMap(asMap(slice).metadata).name);
  if (name === undefined) throw new ProtocolError('an EndpointSlice has no name');
  return name;
}

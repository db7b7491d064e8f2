import { MAX_UPSTREAMS } from '../resolver-state.ts';
import type { EtcdSettings } from '../settings.ts';
import { encode, Message, prefixEnd } from './etcd-messages.ts';
import { GrpcCallError, GrpcChannel } from './grpc-channel.ts';

export interface EtcdEntry {
  readonly key: string;
  readonly value: string;
}

/** All keys below a prefix, as they were at one revision. */
export interface EtcdRange {
  readonly revision: bigint;
  readonly clusterId: bigint;
  readonly entries: readonly EtcdEntry[];
}

export interface EtcdWatcher {
  /** The watch stands; what the member knows at this moment. */
  created(revision: bigint, clusterId: bigint): void;
  /** Changes up to this revision: a value, or undefined where the key is gone. */
  changed(changes: readonly { readonly key: string; readonly value: string | undefined }[], revision: bigint): void;
  /** Nothing has changed up to this revision. */
  progress(revision: bigint): void;
}

/** The revision to go on from is not kept any more; what is there has to be read again. */
export class CompactedError extends Error {}

/** Keys of one answer: 10 000 small ones would be a long message. */
const PAGE_SIZE = 1_000;

/** Ends the stream when the member loses its leader, so that one which is cut off does not look like one where nothing happens. */
const REQUIRE_LEADER = { hasleader: 'true' };

const NOT_FOUND = 5;
const DELETE = 1n;

/**
 * The few calls that discovery needs of the etcd v3 API. One member is used until it fails; `failover()` goes to the next.
 *
 * gRPC, not the JSON gateway: it is the stable face (the gateway's paths changed from 3.3 to 3.4 and it can be switched off), its streams
 * have pings, and its numbers are not texts.
 */
export class EtcdClient {
  readonly #settings: EtcdSettings;
  #at = 0;
  #channel: GrpcChannel | undefined;

  constructor(settings: EtcdSettings) {
    this.#settings = settings;
  }

  /** The member in use. */
  get endpoint(): string {
    return this.#settings.endpoints[this.#at] ?? '';
  }

  /** After a failure: the next call goes to the next member. */
  failover(): void {
    this.close();
    this.#at = (this.#at + 1) % this.#settings.endpoints.length;
  }

  /** Tries each member once, until one does it; throws what the last one said. For what cannot wait for the next try. */
  async everywhere(call: (client: this) => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let left = this.#settings.endpoints.length; ; left -= 1) {
      try {
        await call(this);
        return;
      } catch (error) {
        this.failover();
        if (left <= 1 || signal.aborted) throw error;
      }
    }
  }

  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  async range(prefix: string, signal: AbortSignal): Promise<EtcdRange> {
    const entries: EtcdEntry[] = [];
    const end = prefixEnd(Buffer.from(prefix));
    let revision = 0n;
    let from: Uint8Array = Buffer.from(prefix);
    for (let pages = 0; pages <= MAX_UPSTREAMS / PAGE_SIZE; pages += 1) {
      const message = encode({ 1: from, 2: end, 3: BigInt(PAGE_SIZE), 4: revision });
      const answer = await this.#unary('KV/Range', message, signal);
      const header = answer.message(1);
      if (revision === 0n) revision = header.int(3);
      const pairs = answer.messages(2);
      for (const pair of pairs) entries.push({ key: pair.text(1), value: pair.text(5) });
      const last = pairs.at(-1);
      if (!answer.bool(3) || last === undefined) return { revision, clusterId: header.int(1), entries };
      from = Buffer.concat([last.bytes(1), Uint8Array.from([0])]);
    }
    throw new Error(`there are more than ${MAX_UPSTREAMS} keys below ${prefix}`);
  }

  /** Watches a prefix from a revision on, that one included. Rejects when the watch ends: CompactedError, or whatever broke. */
  async watch(prefix: string, from: bigint, watcher: EtcdWatcher, signal: AbortSignal): Promise<void> {
    const key = Buffer.from(prefix);
    const create = encode({ 1: key, 2: prefixEnd(key), 3: from, 4: true });
    await this.#open().stream({
      path: '/etcdserverpb.Watch/Watch',
      message: encode({ 1: create }),
      metadata: REQUIRE_LEADER,
      firstMs: this.#settings.timeoutMs,
      signal,
      onMessage: (bytes) => readWatch(new Message(bytes), watcher),
    });
    throw new Error('the watch ended');
  }

  /** A lease, as its id. */
  async grant(ttlSeconds: number, signal: AbortSignal): Promise<bigint> {
    const answer = await this.#unary('Lease/LeaseGrant', encode({ 1: BigInt(ttlSeconds) }), signal);
    return answer.int(2);
  }

  /** Seconds that the lease has from now; 0: there is no such lease any more. */
  async keepAlive(lease: bigint, signal: AbortSignal): Promise<number> {
    const answer = await this.#unary('Lease/LeaseKeepAlive', encode({ 1: lease }), signal, REQUIRE_LEADER);
    return Number(answer.int(3));
  }

  /** Ends the lease, and with it its keys; one that is gone already is no error. */
  async revoke(lease: bigint, signal: AbortSignal): Promise<void> {
    try {
      await this.#unary('Lease/LeaseRevoke', encode({ 1: lease }), signal);
    } catch (error) {
      if (!(error instanceof GrpcCallError && error.code === NOT_FOUND)) throw error;
    }
  }

  async put(key: string, value: string, lease: bigint, signal: AbortSignal): Promise<void> {
    await this.#unary('KV/Put', encode({ 1: Buffer.from(key), 2: Buffer.from(value), 3: lease }), signal);
  }

  async #unary(method: string, message: Uint8Array, signal: AbortSignal, metadata?: Readonly<Record<string, string>>): Promise<Message> {
    const path = `/etcdserverpb.${method}`;
    const answer = await this.#open().unary({
      path,
      message,
      signal,
      timeoutMs: this.#settings.timeoutMs,
      ...(metadata === undefined ? {} : { metadata }),
    });
    return new Message(answer);
  }

  #open(): GrpcChannel {
    this.#channel ??= new GrpcChannel(this.endpoint);
    return this.#channel;
  }
}

function readWatch(response: Message, watcher: EtcdWatcher): void {
  const header = response.message(1);
  if (response.bool(4)) {
    const compacted = response.int(5);
    if (compacted > 0n) throw new CompactedError(`etcd keeps nothing before revision ${compacted}`);
    throw new Error(`etcd ended the watch: ${response.text(6) || 'without a reason'}`);
  }
  if (response.bool(3)) {
    watcher.created(header.int(3), header.int(1));
    return;
  }
  const events = response.messages(11);
  const changes = events.map((event) => {
    const pair = event.message(2);
    return { key: pair.text(1), value: event.int(1) === DELETE ? undefined : pair.text(5), revision: pair.int(3) };
  });
  const last = changes.at(-1);
  // With events the header's revision is what the member knows, which a watch that catches up has not reached yet (clientv3/watch.go).
  if (last === undefined) watcher.progress(header.int(3));
  else watcher.changed(changes, last.revision);
}

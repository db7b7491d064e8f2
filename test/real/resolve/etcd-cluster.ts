import { join } from 'node:path';
import { freePort, newFolder, type RunningProcess, realPath, startProcess, waitFor } from '../support/index.ts';

/** A real etcd cluster on free ports, whose members can be stopped and started again. Written to over its JSON gateway, so that nothing of the agent's own client stands on both sides. */
export class EtcdCluster {
  readonly endpoints: readonly string[];
  readonly #members: readonly Member[];

  private constructor(members: readonly Member[]) {
    this.#members = members;
    this.endpoints = members.map(({ client }) => client);
  }

  static async start(size = 1, extra: readonly string[] = []): Promise<EtcdCluster> {
    const members: Member[] = [];
    for (let index = 0; index < size; index += 1) {
      const client = `http://127.0.0.1:${await freePort()}`;
      const peer = `http://127.0.0.1:${await freePort()}`;
      members.push({ name: `m${index}`, client, peer, folder: newFolder('etcd'), extra, process: undefined });
    }
    const cluster = new EtcdCluster(members);
    await Promise.all(members.map((_, index) => cluster.startMember(index)));
    return cluster;
  }

  async startMember(index: number): Promise<void> {
    const member = this.#member(index);
    member.process = await startProcess({
      bin: realPath('etcd'),
      cwd: member.folder,
      args: [
        `--name=${member.name}`,
        `--data-dir=${join(member.folder, 'data')}`,
        `--listen-client-urls=${member.client}`,
        `--advertise-client-urls=${member.client}`,
        `--listen-peer-urls=${member.peer}`,
        `--initial-advertise-peer-urls=${member.peer}`,
        `--initial-cluster=${this.#members.map(({ name, peer }) => `${name}=${peer}`).join(',')}`,
        '--unsafe-no-fsync',
        ...member.extra,
      ],
      ready: { url: `${member.client}/health` },
    });
  }

  /** SIGKILL: as a machine that is gone. */
  async killMember(index: number): Promise<void> {
    const { process } = this.#member(index);
    process?.signal('SIGKILL');
    await process?.exited;
  }

  /** SIGSTOP: a member that holds its connections and says nothing. */
  signalMember(index: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#member(index).process?.signal(signal);
  }

  async stop(): Promise<void> {
    for (const { process } of this.#members) {
      process?.signal('SIGCONT');
      await process?.stop();
    }
  }

  async put(key: string, value: string): Promise<number> {
    const answer = await this.call('kv/put', { key: base64(key), value: base64(value) });
    return Number((answer.header as { revision: string }).revision);
  }

  async remove(key: string, rangeEnd?: string): Promise<void> {
    await this.call('kv/deleterange', { key: base64(key), ...(rangeEnd === undefined ? {} : { range_end: base64(rangeEnd) }) });
  }

  /** Keys and values below a prefix that ends in `/`. */
  async read(prefix: string): Promise<Record<string, string>> {
    const answer = await this.call('kv/range', { key: base64(prefix), range_end: base64(`${prefix.slice(0, -1)}0`) });
    const pairs = (answer.kvs ?? []) as readonly { key: string; value: string }[];
    return Object.fromEntries(pairs.map(({ key, value }) => [text(key), text(value)]));
  }

  async compact(revision: number): Promise<void> {
    await this.call('kv/compaction', { revision: String(revision), physical: true });
  }

  async leases(): Promise<readonly string[]> {
    const answer = await this.call('lease/leases', {});
    return ((answer.leases ?? []) as readonly { ID: string }[]).map(({ ID }) => ID);
  }

  async revoke(lease: string): Promise<void> {
    await this.call('lease/revoke', { ID: lease });
  }

  /** One call of the gateway, to whichever member answers. */
  async call(method: string, body: object): Promise<Record<string, unknown>> {
    return await waitFor(
      async () => {
        for (const endpoint of this.endpoints) {
          try {
            const response = await fetch(`${endpoint}/v3/${method}`, {
              method: 'POST',
              body: JSON.stringify(body),
              signal: AbortSignal.timeout(2_000),
            });
            if (response.ok) return (await response.json()) as Record<string, unknown>;
          } catch {
            // the next member
          }
        }
        return undefined;
      },
      { what: `etcd to answer ${method}` },
    );
  }

  #member(index: number): Member {
    const member = this.#members[index];
    if (member === undefined) throw new Error(`there is no member ${index}`);
    return member;
  }
}

interface Member {
  readonly name: string;
  readonly client: string;
  readonly peer: string;
  readonly folder: string;
  readonly extra: readonly string[];
  process: RunningProcess | undefined;
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}

function text(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8');
}

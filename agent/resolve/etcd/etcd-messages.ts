/**
 * The protobuf messages of the etcd v3 API that the agent uses, by hand: seven small messages need no library in the bundle.
 * https://github.com/etcd-io/etcd/blob/v3.6.8/api/etcdserverpb/rpc.proto and mvccpb/kv.proto
 *
 *   RangeRequest      1 key bytes  2 range_end bytes  3 limit int64  4 revision int64
 *   RangeResponse     1 header  2 kvs repeated KeyValue  3 more bool
 *   ResponseHeader    1 cluster_id uint64  3 revision int64
 *   KeyValue          1 key bytes  3 mod_revision int64  5 value bytes
 *   Event             1 type (0 PUT, 1 DELETE)  2 kv
 *   WatchRequest      1 create_request { 1 key  2 range_end  3 start_revision  4 progress_notify bool }
 *   WatchResponse     1 header  3 created bool  4 canceled bool  5 compact_revision int64  6 cancel_reason string  11 events
 *   PutRequest        1 key  2 value  3 lease int64
 *   LeaseGrantRequest 1 TTL int64 (seconds)        LeaseGrantResponse     2 ID  3 TTL
 *   LeaseKeepAliveRequest 1 ID                     LeaseKeepAliveResponse 2 ID  3 TTL (0: no such lease)
 *   LeaseRevokeRequest    1 ID
 */

/** A field to write: 0, false and empty are left out, as proto3 does. */
export type FieldValue = bigint | boolean | Uint8Array | undefined;

/** A message from its fields, by their numbers. */
export function encode(fields: Readonly<Record<number, FieldValue>>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [number, value] of Object.entries(fields)) {
    const tag = BigInt(number) << 3n;
    if (value instanceof Uint8Array) {
      if (value.length > 0) parts.push(varint(tag | 2n), varint(BigInt(value.length)), value);
    } else if (value !== undefined && value !== false && value !== 0n) {
      parts.push(varint(tag), varint(value === true ? 1n : value));
    }
  }
  return Buffer.concat(parts);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 0x80n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** A message that was read: its fields by number; of a field that stands twice, `int` and `bytes` give the last, as protobuf wants. */
export class Message {
  readonly #ints = new Map<number, bigint>();
  readonly #bytes = new Map<number, Uint8Array[]>();

  /** @throws where the bytes are no message */
  constructor(buffer: Uint8Array) {
    let at = 0;
    const readVarint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = buffer[at];
        if (byte === undefined) throw new Error('a message of etcd ends too soon');
        at += 1;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return BigInt.asUintN(64, value);
      }
      throw new Error('a message of etcd has a number of more than 10 bytes');
    };
    const take = (length: number): Uint8Array => {
      if (length > buffer.length - at) throw new Error('a message of etcd ends too soon');
      at += length;
      return buffer.subarray(at - length, at);
    };
    while (at < buffer.length) {
      const tag = Number(readVarint());
      const number = Math.floor(tag / 8);
      const kind = tag % 8;
      if (kind === 0) this.#ints.set(number, readVarint());
      else if (kind === 1) take(8);
      else if (kind === 5) take(4);
      else if (kind === 2) {
        const all = this.#bytes.get(number);
        const value = take(Number(readVarint()));
        if (all === undefined) this.#bytes.set(number, [value]);
        else all.push(value);
      } else throw new Error(`a message of etcd has a field of the unknown kind ${kind}`);
    }
  }

  /** An int64; 0 where it is absent. */
  int(number: number): bigint {
    return BigInt.asIntN(64, this.#ints.get(number) ?? 0n);
  }

  bool(number: number): boolean {
    return this.int(number) !== 0n;
  }

  bytes(number: number): Uint8Array {
    return this.#bytes.get(number)?.at(-1) ?? EMPTY;
  }

  text(number: number): string {
    return Buffer.from(this.bytes(number)).toString('utf8');
  }

  message(number: number): Message {
    return new Message(this.bytes(number));
  }

  messages(number: number): Message[] {
    return (this.#bytes.get(number) ?? []).map((bytes) => new Message(bytes));
  }
}

const EMPTY = new Uint8Array(0);

/** The end of the range of all keys with a prefix: the prefix with its last byte one higher (clientv3.GetPrefixRangeEnd). */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  for (let at = prefix.length - 1; at >= 0; at -= 1) {
    const byte = prefix[at] ?? 0xff;
    if (byte < 0xff) return Buffer.concat([prefix.subarray(0, at), Uint8Array.from([byte + 1])]);
  }
  return Uint8Array.from([0]);
}

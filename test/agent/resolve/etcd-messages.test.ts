/** The messages by hand against protobufjs with etcd's own field numbers; the real etcd is in test/real/resolve. */
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { parseEntry, printEntry } from '../../../agent/resolve/etcd/entry.ts';
import { encode, Message, prefixEnd } from '../../../agent/resolve/etcd/etcd-messages.ts';

const { root } = protobuf.parse(`
  syntax = "proto3";
  message RangeRequest { bytes key = 1; bytes range_end = 2; int64 limit = 3; int64 revision = 4; bool serializable = 7; }
  message ResponseHeader { uint64 cluster_id = 1; uint64 member_id = 2; int64 revision = 3; uint64 raft_term = 4; }
  message KeyValue { bytes key = 1; int64 create_revision = 2; int64 mod_revision = 3; int64 version = 4; bytes value = 5; int64 lease = 6; }
  message RangeResponse { ResponseHeader header = 1; repeated KeyValue kvs = 2; bool more = 3; int64 count = 4; fixed64 a = 20; fixed32 b = 21; }
`);
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

describe('messages of etcd', () => {
  it('are written as protobufjs reads them', () => {
    const type = root.lookupType('RangeRequest');
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.uint8Array({ maxLength: 300 }),
        int64,
        int64,
        fc.boolean(),
        (key, end, limit, revision, serializable) => {
          const read = type.toObject(type.decode(encode({ 1: key, 2: end, 3: limit, 4: revision, 7: serializable })), {
            longs: String,
            defaults: true,
            bytes: Array,
          });
          expect(read).toEqual({
            key: [...key],
            rangeEnd: [...end],
            limit: String(limit),
            revision: String(revision),
            serializable,
          });
        },
      ),
      { verbose: true },
    );
  });

  it('are read as protobufjs writes them, unknown fields skipped', () => {
    const type = root.lookupType('RangeResponse');
    const pair = fc.record({ key: fc.uint8Array(), value: fc.uint8Array(), modRevision: int64 });
    fc.assert(
      fc.property(fc.array(pair), int64, fc.boolean(), (kvs, revision, more) => {
        const bytes = type
          .encode(
            type.fromObject({
              header: { revision: String(revision), memberId: '18446744073709551615' },
              kvs: kvs.map((one) => ({ ...one, modRevision: String(one.modRevision), lease: '7' })),
              more,
              count: '5',
              a: '1',
              b: 2,
            }),
          )
          .finish();
        const message = new Message(bytes);
        expect(message.message(1).int(3)).toBe(revision);
        expect(message.bool(3)).toBe(more);
        expect(message.messages(2).map((one) => ({ key: [...one.bytes(1)], value: [...one.bytes(5)], modRevision: one.int(3) }))).toEqual(
          kvs.map((one) => ({ key: [...one.key], value: [...one.value], modRevision: one.modRevision })),
        );
      }),
      { verbose: true },
    );
  });

  it('fails for any other bytes by an error and in no other way', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          new Message(bytes);
        } catch (error) {
          expect((error as Error).message).toMatch(/^a message of etcd /u);
        }
      }),
      { verbose: true, numRuns: 2_000 },
    );
  });

  it('end a range behind the last key with the prefix', () => {
    expect([...prefixEnd(Buffer.from('/a/'))]).toEqual([...Buffer.from('/a0')]);
    expect([...prefixEnd(Uint8Array.from([1, 255, 255]))]).toEqual([2]);
    expect([...prefixEnd(Uint8Array.from([255]))]).toEqual([0]);
  });
});

describe('the value of a key', () => {
  it.each<[string, object | undefined]>([
    ['10.0.0.1:4317', { host: '10.0.0.1', port: 4317, weight: 1 }],
    [' host.example:1\n', { host: 'host.example', port: 1, weight: 1 }],
    ['[fd00::1]:4317', { host: 'fd00::1', port: 4317, weight: 1 }],
    ['{"host":"a","port":1}', { host: 'a', port: 1, weight: 1 }],
    ['{"host":"fd00::1","port":65535,"weight":7,"more":true}', { host: 'fd00::1', port: 65_535, weight: 7 }],
    ['{"Op":0,"Addr":"10.0.0.1:4317","Metadata":null}', { host: '10.0.0.1', port: 4317, weight: 1 }],
    ['', undefined],
    ['10.0.0.1', undefined],
    ['10.0.0.1:0', undefined],
    ['10.0.0.1:65536', undefined],
    ['a b:1', undefined],
    ['http://a:1', undefined],
    ['{"host":"a","port":"1"}', undefined],
    ['{"host":"a","port":1,"weight":-1}', undefined],
    ['{"host":"a","port":1,"weight":"2"}', undefined],
    ['{"host":["a"],"port":1}', undefined],
    ['{"host"', undefined],
    ['[]', undefined],
    ['null', undefined],
  ])('%s', (value, upstream) => {
    expect(parseEntry(value)).toEqual(upstream);
  });

  it('is read back as it was printed', () => {
    for (const host of ['a.example', '10.0.0.1', 'fd00::1']) {
      const upstream = { host, port: 4317, weight: 9 };
      expect(parseEntry(printEntry(upstream))).toEqual(upstream);
    }
  });
});

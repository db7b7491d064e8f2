import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { decodePartialSuccess, decodeStatus, encodeResponse, encodeStatus } from '../../../agent/otlp/status.ts';

const root = protobuf.parse(`syntax = "proto3"; package google.rpc;
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message RetryInfo { Duration retry_delay = 1; }
  message Partial { int64 rejected = 1; string error_message = 2; }
  message Response { Partial partial_success = 1; }`).root;
const Status = root.lookupType('google.rpc.Status');
const RetryInfo = root.lookupType('google.rpc.RetryInfo');
const Response = root.lookupType('google.rpc.Response');

describe('google.rpc.Status', () => {
  it('is read by protobufjs as it was meant, with RetryInfo', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 16 }),
        fc.string({ maxLength: 300, unit: 'binary' }),
        fc.option(fc.nat({ max: 600_000 }), { nil: undefined }),
        (code, message, delay) => {
          const text = Buffer.from(message).toString(); // lone surrogates have no UTF-8
          const status = Status.toObject(Status.decode(encodeStatus(code, text, delay)), { defaults: true }) as {
            code: number;
            message: string;
            details: { type_url: string; typeUrl: string; value: Uint8Array }[];
          };
          expect(status.code).toBe(code);
          expect(status.message).toBe(text);
          if (delay === undefined) expect(status.details).toEqual([]);
          else {
            const info = RetryInfo.toObject(RetryInfo.decode(status.details[0]?.value ?? Buffer.alloc(0)), {
              longs: Number,
              defaults: true,
            }) as { retryDelay: { seconds: number; nanos: number } };
            expect(info.retryDelay.seconds * 1000 + info.retryDelay.nanos / 1e6).toBe(delay);
          }
          expect(decodeStatus(encodeStatus(code, text, delay))).toEqual({ code, message: text, retryAfterMs: delay });
        },
      ),
    );
  });

  it('fails softly on bytes that are none: undefined, never an exception', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => void decodeStatus(bytes)));
    expect(decodeStatus(Buffer.from([0x12, 0x50]))).toBeUndefined();
  });
});

describe('partial_success', () => {
  it('is unset on full success: no bytes at all', () => {
    expect(encodeResponse('traces', 0, '')).toHaveLength(0);
    expect(decodePartialSuccess(Buffer.alloc(0))).toBeUndefined();
  });

  it('round trips through protobufjs', () => {
    const bytes = encodeResponse('logs', 7, 'too old');
    expect(Response.toObject(Response.decode(bytes), { longs: Number })).toEqual({
      partialSuccess: { rejected: 7, errorMessage: 'too old' },
    });
    expect(decodePartialSuccess(bytes)).toEqual({ rejected: 7, message: 'too old' });
  });

  it('fails softly on bytes that are none', () => {
    expect(decodePartialSuccess(Buffer.from([0x0a, 0x20, 1]))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { grpcMetadata, httpMetadata } from '../../../agent/receive/metadata.ts';

describe('metadata for later stages', () => {
  it('of HTTP/1.1 are all headers in lower case, each with all its values', () => {
    const found = httpMetadata({ headers: { host: 'h' }, headersDistinct: { host: ['h'], 'x-tenant': ['a', 'b'] } });
    expect([...found]).toEqual([
      ['host', ['h']],
      ['x-tenant', ['a', 'b']],
    ]);
  });

  it('of HTTP/2 have no pseudo headers; its authority is the host', () => {
    const found = httpMetadata({ headers: { ':path': '/v1/traces', ':authority': 'h:1', 'x-tenant': 'a' } });
    expect([...found]).toEqual([
      ['x-tenant', ['a']],
      ['host', ['h:1']],
    ]);
  });

  it('of gRPC are its metadata with :authority', () => {
    expect([...grpcMetadata({ ':path': '/x', ':authority': 'h', 'x-tenant': 'a', te: 'trailers' })]).toEqual([
      ['x-tenant', ['a']],
      ['te', ['trailers']],
      [':authority', ['h']],
    ]);
  });
});

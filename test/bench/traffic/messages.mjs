/** Requests as they lie on the wire: gRPC messages, compressed bodies, marks. */
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { logsRequest, metricsRequest, serviceRequest } from '../agent/load.mjs';
import { PREFIX_BYTES } from './frames.mjs';
import { countItems, MARK } from './scan.mjs';

/** The mark and the intended send time, in the first bytes of a trace id. */
export const MARK_BYTES = 12;
const MAKE = { traces: serviceRequest, metrics: metricsRequest, logs: logsRequest };

/** What SDKs and the Collector use by default: gzip 6 is Go's and zlib's default, zstd 3 that of most. */
const COMPRESS = {
  identity: (body) => body,
  gzip: (body) => gzipSync(body),
  zstd: (body) => zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
};

export function body({ signal, items, itemBytes, seed }) {
  return MAKE[signal](items, itemBytes, seed);
}

export function compressed(bytes, encoding) {
  return COMPRESS[encoding](bytes);
}

/** Length-Prefixed-Message of gRPC. */
export function message(bytes, encoding = 'identity') {
  const out = Buffer.alloc(PREFIX_BYTES + bytes.length);
  out[0] = encoding === 'identity' ? 0 : 1;
  out.writeUInt32BE(bytes.length, 1);
  bytes.copy(out, PREFIX_BYTES);
  return out;
}

/** Where the mark goes in the message of `bytes`: the first trace id. */
export function markOffset(bytes) {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(TRACE_ID); at >= 0; at = copy.indexOf(TRACE_ID, at + 1)) {
    const before = copy.readUInt32BE(at + 2);
    copy.writeUInt32BE(MARK, at + 2);
    const found = [];
    countItems(copy, 'traces', (mark) => found.push(mark));
    if (found.length === 1) return at + 2 + PREFIX_BYTES;
    copy.writeUInt32BE(before, at + 2);
  }
  throw new Error('the request has no trace id');
}

/** Tag and length of `bytes trace_id = 1`. */
const TRACE_ID = Buffer.from([0x0a, 0x10]);

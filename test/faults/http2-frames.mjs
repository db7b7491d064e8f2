/** HTTP/2 by hand, as no well-behaved library sends what the storms send (RFC 9113; HPACK literals without indexing, RFC 7541 6.2.2). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
};
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const ACK = 1;

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const settings = (...pairs) =>
  frame(
    TYPE.SETTINGS,
    0,
    0,
    Buffer.concat(
      pairs.map(([id, value]) => {
        const one = Buffer.alloc(6);
        one.writeUInt16BE(id, 0);
        one.writeUInt32BE(value, 2);
        return one;
      }),
    ),
  );
export const settingsAck = () => frame(TYPE.SETTINGS, ACK, 0);
export const ping = (payload = Buffer.alloc(8)) => frame(TYPE.PING, 0, 0, payload);
export const reset = (stream, code = 8) => frame(TYPE.RST_STREAM, 0, stream, uint32(code));
export const windowUpdate = (stream, increment) => frame(TYPE.WINDOW_UPDATE, 0, stream, uint32(increment));

export function uint32(value) {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0, 0);
  return out;
}

export const headerBlock = (pairs) => Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));

function literal(value) {
  const bytes = Buffer.from(value);
  const size = [];
  if (bytes.length < 127) size.push(bytes.length);
  else {
    size.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) size.push((rest % 128) | 128);
    size.push(rest);
  }
  return Buffer.concat([Buffer.from(size), bytes]);
}

export const grpcHeaders = (path) =>
  headerBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'storm'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ]);

/** Cuts a byte stream into frames and gives each to `onFrame(type, flags, stream, payload)`. */
export function frameReader(onFrame) {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    let at = 0;
    while (rest.length - at >= 9) {
      const size = rest.readUIntBE(at, 3);
      if (rest.length - at < 9 + size) break;
      onFrame(rest[at + 3], rest[at + 4], rest.readUInt32BE(at + 5) & 0x7fffffff, rest.subarray(at + 9, at + 9 + size));
      at += 9 + size;
    }
    rest = rest.subarray(at);
  };
}

/**
 * What compressing and inflating cost, and what the ways that the agent goes save: CPU of all threads, medians of interleaved rounds.
 *
 *   npm run bench -- agent-compression [--rounds 9]
 */
import { parseArgs, promisify } from 'node:util';
import { gunzip, gunzipSync, gzip, gzipSync, constants as zlib, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { ZlibContext } from '../../agent/compression/zlib-context.ts';
import { compress } from '../../agent/export/compress.ts';
import { serviceRequest } from './agent/load.mjs';

const { values: args } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const ROUNDS = Number(args.rounds);
const onPool = { gunzip: promisify(gunzip), gzip: promisify(gzip), zstd: promisify(zstdCompress) };
const gunzipper = ZlibContext.gunzip();
const unzstder = ZlibContext.unzstd();
if (gunzipper === undefined || unzstder === undefined) throw new Error('this Node has another node:zlib inside');

for (const spans of [25, 512]) {
  const plain = Buffer.from(serviceRequest(spans, 373));
  const [gz, zs] = [gzipSync(plain), zstdCompressSync(plain)];
  const scratch = Buffer.allocUnsafeSlow(plain.length + 1);
  const size = { chunkSize: plain.length + 1, maxOutputLength: plain.length };
  const copy = (bytes) => Buffer.allocUnsafeSlow(bytes).set(scratch.subarray(0, bytes));
  await table(`inflating ${spans} spans, ${plain.length} bytes`, spans, Math.ceil(20_000 / spans), {
    'gunzip on the pool': () => onPool.gunzip(gz, size),
    'gunzipSync, 16 KiB of output at a time': () => gunzipSync(gz),
    'gunzipSync, one output': () => gunzipSync(gz, size),
    'one context, new memory': () => gunzipper.run(gz, Buffer.allocUnsafeSlow(plain.length + 1)),
    'one context, the same memory, copied': () => copy(gunzipper.run(gz, scratch)),
    'one context, the same memory': () => gunzipper.run(gz, scratch),
    zstdDecompressSync: () => zstdDecompressSync(zs, size),
    'zstd, one context, the same memory': () => unzstder.run(zs, scratch),
  });
}

const all = Buffer.from(serviceRequest(8192, 373));
const slices = Array.from({ length: 16 }, (_, i) => all.subarray((i * all.length) >> 4, ((i + 1) * all.length) >> 4));
const joined = () => Buffer.concat(slices, all.length);
await table('compressing 8192 spans in 16 slices', 8192, 4, {
  'joined into new memory, nothing else': async () => joined(),
  'gzip 1, joined, 16 KiB of output at a time': () => onPool.gzip(joined(), { level: 1 }),
  'gzip 1, as the agent does it': () => compress('gzip', undefined, 'traces', slices, all.length, 8192),
  'zstd 1, joined': () => onPool.zstd(joined(), { params: { [zlib.ZSTD_c_compressionLevel]: 1 } }),
  'zstd 1, as the agent does it': () => compress('zstd', undefined, 'traces', slices, all.length, 8192),
});

const whole = { chunkSize: 4 * 1024 * 1024 };
const gzipOf = (options) => () => gzipSync(all, { ...whole, ...options });
await table('gzip of 8192 spans, by its settings', 8192, 2, {
  'level 1': gzipOf({ level: 1 }),
  'level 1, memLevel 9': gzipOf({ level: 1, memLevel: 9 }),
  'level 1, memLevel 9, 8 KiB window': gzipOf({ level: 1, memLevel: 9, windowBits: 13 }),
  'level 1, Z_FIXED': gzipOf({ level: 1, strategy: zlib.Z_FIXED }),
  'level 1, Z_FILTERED': gzipOf({ level: 1, strategy: zlib.Z_FILTERED }),
  'level 1, Z_RLE': gzipOf({ level: 1, strategy: zlib.Z_RLE }),
  'level 2, memLevel 9': gzipOf({ level: 2, memLevel: 9 }),
  'level 6': gzipOf({ level: 6 }),
});

/** One line for each way: CPU per call and per million spans, and the bytes that it made. */
async function table(title, spans, calls, ways) {
  const taken = new Map(Object.keys(ways).map((name) => [name, []]));
  const made = new Map();
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const before = process.cpuUsage();
      let out;
      for (let i = 0; i < calls; i += 1) out = await way();
      const { user, system } = process.cpuUsage(before);
      if (round > 0) taken.get(name).push((user + system) / calls); // the first is the warm-up
      made.set(name, out?.bytes ?? out?.length ?? out);
    }
  }
  process.stdout.write(`\n${title}\n`);
  for (const [name, list] of taken) {
    const micros = list.sort((a, b) => a - b)[list.length >> 1];
    const cost = `${micros.toFixed(1).padStart(9)} us  ${(micros / spans).toFixed(3)} s per million spans`;
    process.stdout.write(`  ${name.padEnd(44)}${cost}  ${typeof made.get(name) === 'number' ? `${made.get(name)} bytes` : ''}\n`);
  }
}

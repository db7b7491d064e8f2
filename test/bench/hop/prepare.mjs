/** The prepared requests of a work as files, for h2load. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { body, compressed, message } from '../traffic/messages.mjs';

/** Different requests in rotation, so that no compressor or cache sees a single body. */
export const BODIES = 4;

/**
 * @returns paths of the files, and the bytes of all of them together on the wire and before compression
 */
export function prepare(work, folder) {
  const name = ['signal', 'protocol', 'encoding', 'items', 'itemBytes'].map((key) => work[key]).join('-');
  let wireBytes = 0;
  let plainBytes = 0;
  const files = Array.from({ length: work.bodies ?? BODIES }, (_, index) => {
    const plain = body({ ...work, seed: index + 1 });
    const small = compressed(plain, work.encoding);
    plainBytes += plain.length;
    wireBytes += small.length;
    const path = join(folder, `${name}-${index}`);
    writeFileSync(path, work.protocol === 'grpc' ? message(small, work.encoding) : small);
    return path;
  });
  return { files, wireBytes, plainBytes };
}

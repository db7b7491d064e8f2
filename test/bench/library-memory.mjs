/**
 * What a request costs while it waits for a backend that is away: the bytes that the agent accounts, and what the process really holds for
 * it, by spans in a request. After a collection, in a process of its own for each; the difference of many requests and few.
 *
 *   npm run bench -- library-memory
 */
import { facts } from './lib/machine.mjs';
import { writeResult } from './lib/result-file.mjs';
import { startChild } from './library/child.mjs';

/** Spans of a request, and how many requests: below the 64 MiB of the default queue. */
const SHAPES = [
  [512, 200],
  [20, 3000],
  [1, 10_000],
];

const FACTS = facts();
const rows = [];
for (const [spans, requests] of SHAPES) {
  const subject = await startChild('waiting.mjs');
  const row = await subject.ask({ spans, requests });
  await subject.end();
  rows.push(row);
  console.log(`${spans} spans a request: ${row.accounted} bytes accounted, ${row.buffers} in buffers and ${row.heap} on the heap`);
}
const what =
  'Spans of 8 attributes, exported to an address where nobody listens, by an exporter with patienceMs 0 and a callback that holds its batch, as that of BatchSpanProcessor does; bytes of one request, from process.memoryUsage() after a collection';
writeResult('library-memory', { what, ...FACTS, rows });

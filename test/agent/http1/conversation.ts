import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/** What came back, and how. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Far above the limits of time that a server under test has. */
const PATIENCE_MS = 120_000;
const NO_CHUNKS = '0\r\n\r\n';
const STILL_OPEN = '[still open]';

/** Writes the pieces, each in a packet of its own, and gives all that came back until the connection ended. */
export async function converse(port: number, pieces: readonly Buffer[], halfClose = false): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let out = '';
  socket.on('data', (data) => {
    out += data.toString('latin1');
  });
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      out += STILL_OPEN;
      socket.destroy();
    }, PATIENCE_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  await new Promise((resolve) => socket.on('connect', resolve));
  for (const piece of pieces) {
    if (socket.destroyed || socket.writableEnded) break;
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    if (pieces.length > 1) await turn();
  }
  if (halfClose) socket.end();
  await ended;
  return out;
}

/** Splits what a server wrote. Date is left out, as it is of its moment; an answer that is cut is one of status -1. */
export function answersIn(text: string): Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const lines = rest.slice(0, Math.max(end, 0)).split('\r\n');
    const match = /^HTTP\/1\.1 (\d{3}) /.exec(lines[0] ?? '');
    if (end < 0 || match === null) return [...answers, { status: -1, headers: {}, body: rest }];
    const headers = Object.fromEntries(
      lines.slice(1).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const),
    );
    const { date: _date, ...others } = headers;
    const length = Number(headers['content-length'] ?? 0);
    answers.push({ status: Number(match[1]), headers: others, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
    // node:http's own 417 has an empty body in chunks.
    if (headers['transfer-encoding'] === 'chunked' && rest.startsWith(NO_CHUNKS)) rest = rest.slice(NO_CHUNKS.length);
  }
  return answers;
}

/** Cuts bytes at these places. */
export function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...new Set([0, ...places.map((place) => place % bytes.length), bytes.length])].sort((a, b) => a - b);
  return cuts.slice(1).map((to, i) => bytes.subarray(cuts[i], to));
}

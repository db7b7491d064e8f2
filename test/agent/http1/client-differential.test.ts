import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpEnd } from '../../../agent/http1/client.ts';
import { ANSWERS, type AnswerCase } from './client-answers.ts';
import { CLIENTS, cut, OK, OPTIONS, post, type RawServer, rawServer, target, writePieces } from './client-server.ts';

/** The same answers, over real connections, to our client and to undici: what they make of them is the same, but where a case says so. */
const SEED = Number(process.env.FC_SEED ?? 20_261_121);
const RANDOM_SPLITS = 150;

/** What the server says to the first request of each path; all others are answered with success. */
const scripts = new Map<string, { readonly pieces: readonly Buffer[]; readonly ends: boolean }>();
let server: RawServer;
let paths = 0;

beforeAll(async () => {
  server = await rawServer(({ socket, head }) => {
    const path = head.split(' ', 2)[1] ?? '';
    const script = scripts.get(path);
    scripts.delete(path);
    if (script === undefined) socket.write(OK);
    else void writePieces(socket, script.pieces).then(() => script.ends && socket.end());
  });
});
afterAll(() => server.close());

/** How the request ends, and on which connection the next one is answered. */
async function run(create: (typeof CLIENTS)[number][1], one: AnswerCase, places: readonly number[]): Promise<readonly [HttpEnd, boolean]> {
  paths += 1;
  const path = `/${paths}`;
  const bytes = Buffer.from(one.bytes, 'latin1');
  scripts.set(path, { pieces: cut(bytes, places), ends: one.ends === true });
  const client = create(target(server.port, { path }), OPTIONS);
  try {
    const end = await post(client);
    const next = await post(client);
    expect(next, 'the next request').toMatchObject({ kind: 'answer', status: 200 });
    const [first, second] = server.requests.filter(({ head }) => head.startsWith(`POST ${path} `));
    return [end, first?.connection === second?.connection];
  } finally {
    await client.close();
  }
}

function check(end: HttpEnd, expected: AnswerCase['is']): void {
  if (expected instanceof RegExp) {
    expect(end).toMatchObject({ kind: 'failed', message: expect.stringMatching(expected) });
    return;
  }
  const { body, ...others } = expected;
  expect(end).toMatchObject({ kind: 'answer', ...others });
  if ('body' in expected && end.kind === 'answer') expect(end.body?.toString('latin1')).toBe(body);
}

describe.each(CLIENTS)('the %s client', (name, create) => {
  const expected = (one: AnswerCase): AnswerCase['is'] =>
    name === 'own' || one.undici === undefined || one.undici === 'waits' ? one.is : one.undici;
  const cases = ANSWERS.filter(({ undici }) => name === 'own' || undici !== 'waits');
  const cutCases = cases.filter(({ surplus }) => surplus !== true);

  it.each(cases)('$name', async (one) => {
    const [end, reused] = await run(create, one, []);
    check(end, expected(one));
    if (name === 'own') expect(reused).toBe(one.reusable ?? false);
  });

  it.each(cutCases.filter(({ bytes }) => bytes.length < 300))('byte by byte: $name', async (one) => {
    const [end, reused] = await run(
      create,
      one,
      Array.from({ length: one.bytes.length }, (_, i) => i),
    );
    check(end, expected(one));
    if (name === 'own' && one.reusable === true) expect(reused).toBe(true);
  });

  it(`is not moved by where the packets are cut (seed ${SEED})`, async () => {
    const any = fc.tuple(fc.constantFrom(...cutCases), fc.array(fc.nat(), { maxLength: 4 }));
    const samples = fc.sample(any, { seed: SEED, numRuns: RANDOM_SPLITS });
    await Promise.all(samples.map(async ([one, places]) => check((await run(create, one, places))[0], expected(one))));
  });
});

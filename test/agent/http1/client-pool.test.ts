import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { HttpEnd } from '../../../agent/http1/client.ts';
import type { Dialed } from '../../../agent/http1/client-connection.ts';
import { HttpPool } from '../../../agent/http1/client-pool.ts';
import { duplexWire } from '../../../agent/runtime/wire.ts';
import { until } from '../kit/agent.ts';
import { OPTIONS, post, target } from './client-server.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** A connection that connects, fails and answers when the test says so. */
class Scripted extends Duplex {
  written = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written += chunk.toString('latin1');
    done();
  }

  connect(): void {
    this.emit('connect');
  }

  answer(): void {
    this.push(ANSWER);
  }
}

interface Script {
  readonly pool: HttpPool;
  readonly dialed: readonly Scripted[];
}

function script(maxConnections = 0): Script {
  const dialed: Scripted[] = [];
  const dial = (): Dialed => {
    const stream = new Scripted();
    dialed.push(stream);
    return { stream, wire: duplexWire(stream), ready: 'connect', writesAtOnce: false };
  };
  return { pool: new HttpPool(target(1), { ...OPTIONS, maxConnections }, dial), dialed };
}

const answered = { kind: 'answer', status: 200 };
const kinds = (ends: readonly HttpEnd[]): readonly string[] => ends.map(({ kind }) => kind);

describe('requests and connections of our HTTP/1.1 client', () => {
  it('goes on the connection that is there first, one that was begun for another included', async () => {
    const { pool, dialed } = script();
    const [first, second] = [post(pool, [Buffer.from('first')]), post(pool, [Buffer.from('second')])];
    expect(dialed.length).toBe(2);
    dialed[1]?.connect();
    expect(dialed[1]?.written).toContain('first');
    dialed[1]?.answer();
    expect(await first).toMatchObject(answered);
    await until(() => dialed[1]?.written.includes('second') === true);
    dialed[1]?.answer();
    expect(await second).toMatchObject(answered);
    dialed[0]?.connect(); // idle from the beginning, and the next to be used
    const third = post(pool, [Buffer.from('third')]);
    expect(dialed[0]?.written).toContain('third');
    dialed[0]?.answer();
    expect(await third).toMatchObject(answered);
    await pool.close();
  });

  it('fails one request for each connection that fails, the oldest first', async () => {
    const { pool, dialed } = script(2);
    const ends: HttpEnd[] = [];
    for (let i = 0; i < 3; i += 1) void post(pool).then((end) => ends.push(end));
    expect(dialed.length).toBe(2);
    dialed[1]?.destroy(new Error('refused'));
    await until(() => ends.length === 1);
    expect(ends).toEqual([{ kind: 'failed', message: 'refused' }]);
    expect(dialed.length).toBe(3);
    await until(() => {
      for (const one of dialed) one.destroy(new Error('refused'));
      return ends.length === 3;
    });
    expect(kinds(ends)).toEqual(['failed', 'failed', 'failed']);
    expect(dialed.length).toBeLessThanOrEqual(2 * 3);
    await pool.close();
  });

  it('begins another connection for a request that came after the one that fails', async () => {
    const { pool, dialed } = script(2);
    const before = [post(pool), post(pool)];
    dialed[1]?.connect();
    dialed[1]?.answer();
    expect(await before[0]).toMatchObject(answered);
    dialed[1]?.answer();
    expect(await before[1]).toMatchObject(answered);
    const busy = post(pool);
    const younger = post(pool); // waits for the first connection, which was begun for another
    expect(dialed.length).toBe(2);
    dialed[0]?.destroy(new Error('refused'));
    await until(() => dialed.length === 3);
    dialed[2]?.connect();
    dialed[2]?.answer();
    expect(await younger).toMatchObject(answered);
    dialed[1]?.answer();
    expect(await busy).toMatchObject(answered);
    await pool.close();
  });

  it('drops its own request only when a connection ends in the middle of it', async () => {
    const { pool, dialed } = script();
    const ends = [post(pool), post(pool)];
    for (const one of dialed) one.connect();
    dialed[0]?.push('HTTP/1.1 200');
    dialed[0]?.push(null);
    dialed[1]?.answer();
    expect(await Promise.all(ends)).toMatchObject([{ kind: 'failed', message: 'the connection ended inside of the answer' }, answered]);
    await pool.close();
  });

  it('has a dial that throws fail the request', async () => {
    const pool = new HttpPool(target(1), OPTIONS, () => {
      throw new RangeError('no port');
    });
    expect(await Promise.all([post(pool), post(pool)])).toEqual(Array(2).fill({ kind: 'failed', message: 'no port' }));
    await pool.close();
  });
});

import { describe, expect, it } from 'vitest';
import { KEEPALIVE } from '../kit/settings.ts';
import { data, EMPTY_MESSAGE, headers, ping, TYPE } from './kit/raw-client.ts';
import { CODECS, HostileTarget } from './kit/target.ts';

const CALLS = 20;

describe.each(CODECS)('pings, codec %s', (codec) => {
  it('that follow an answer each are no flood: grpc-go estimates the bandwidth with them', async () => {
    const target = await HostileTarget.start(codec, { keepalive: KEEPALIVE });
    const client = target.speak();
    const ids = Array.from({ length: CALLS }, (_, i) => 2 * i + 1);
    client.send(...ids.map((id) => headers(id)));
    for (const id of ids) {
      client.send(data(id, EMPTY_MESSAGE));
      await client.until(() => client.answered(id));
      client.send(ping(id));
      const pong = (): boolean =>
        client.frames.some((one) => one.type === TYPE.PING && one.flags === 1 && one.payload.readUInt32BE(0) === id);
      expect(await client.until(pong), `ping after call ${id}`).toBe(true);
    }
    expect(await target.faults()).toEqual({});
    await target.servesOthers();
    await target.end();
  });

  it('fail as a flood where no answer is between them, with calls under way', async () => {
    const target = await HostileTarget.start(codec, { keepalive: KEEPALIVE });
    const client = target.speak();
    client.send(headers(1), ping(1), ping(2), ping(3), ping(4));
    const goaway = await client.frame(TYPE.GOAWAY);
    expect([goaway?.payload.readUInt32BE(4), goaway?.payload.subarray(8).toString()]).toEqual([11, 'too_many_pings']);
    await client.closed;
    expect((await target.faults()).ping_flood).toBe(1);
    await target.servesOthers();
    await target.end();
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { beforeAll, expect, it } from 'vitest';
import { load } from '../../agent/config/load.ts';
import { SIGNALS, type Signal } from '../../agent/config/settings.ts';
import { jsonToProto } from '../../agent/otlp/json/json.ts';
import { SIGNAL_FACTS } from '../../agent/otlp/signals.ts';
import { createAgent } from '../../agent/runtime/agent.ts';
import { assertBooksBalance, recordingLog } from '../agent/kit/agent.ts';
import type { Message } from '../agent/kit/otlp.ts';
import { canonical } from './processors/canonical.ts';
import { generate } from './processors/generate.ts';
import { describeReal, freePort, newFolder, startOtelcol, writeConfig } from './support/index.ts';

const FORMATS = ['json', 'proto', 'zstd'] as const;
type Format = (typeof FORMATS)[number];
const REQUESTS = 200;
const SEED = 11;

/** Every signal into a file of its own, in each format. */
function config(port: number, folder: string): object {
  const exporters: Record<string, object> = {};
  const pipelines: Record<string, object> = {};
  for (const signal of SIGNALS) {
    const ids = FORMATS.map((format) => `file/${signal}.${format}`);
    FORMATS.forEach((format, i) => {
      exporters[ids[i] as string] = {
        path: fileOf(folder, signal, format),
        ...(format === 'json' ? {} : { format: 'proto' }),
        ...(format === 'zstd' ? { compression: 'zstd' } : {}),
      };
    });
    pipelines[signal] = { receivers: ['otlp'], exporters: ids };
  }
  return {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters,
    service: { telemetry: { metrics: { level: 'none' } }, pipelines },
  };
}

const fileOf = (folder: string, signal: Signal, format: Format): string => join(folder, `${signal}.${format}`);

/** The requests in a file, comparable. */
function records(folder: string, signal: Signal, format: Format): Message[] {
  const bytes = readFileSync(fileOf(folder, signal, format));
  if (format === 'json') {
    const lines = bytes.toString().split('\n');
    expect(lines.pop()).toBe('');
    return lines.map((line) => canonical(signal, jsonToProto(signal, Buffer.from(line))));
  }
  const found: Message[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const record = bytes.subarray(at + 4, at + 4 + length);
    found.push(canonical(signal, format === 'zstd' ? zstdDecompressSync(record) : record));
    at += 4 + length;
  }
  return found;
}

/** What says nothing: the Collector writes a request in which nothing is left, the agent does not store requests without items. */
const saysSomething = (signal: Signal, message: Message): boolean => {
  const words = { traces: 'spans', metrics: 'dataPoints', logs: 'logRecords', profiles: 'samples' };
  return JSON.stringify(message).includes(`"${words[signal]}":`);
};

describeReal(['otelcol'], 'the file exporter writes what that of the Collector writes', () => {
  const theirs = newFolder('file-theirs');
  const ours = newFolder('file-ours');
  beforeAll(async () => {
    const ports = [await freePort(), await freePort()] as const;
    const collector = await startOtelcol({ config: config(ports[0], theirs), args: ['--feature-gates=+service.profilesSupport'] });
    const file = writeConfig(newFolder('agent'), 'agent.yaml', config(ports[1], ours));
    const agent = await createAgent(load({ configs: [file], environment: {} }).settings, { log: recordingLog([]) });
    await agent.start();
    for (const signal of SIGNALS) {
      for (const body of generate(signal, SEED, REQUESTS)) {
        for (const port of ports) {
          const response = await fetch(`http://127.0.0.1:${port}${SIGNAL_FACTS[signal].httpPath}`, {
            method: 'POST',
            body: body as unknown as RequestInit['body'],
            headers: { 'content-type': 'application/x-protobuf' },
          });
          expect(response.status).toBe(200);
          await response.arrayBuffer();
        }
      }
    }
    await agent.drain(60_000);
    await agent.close();
    assertBooksBalance(agent);
    await collector.stop();
  });

  for (const signal of SIGNALS) {
    for (const format of FORMATS) {
      it(`${signal} as ${format}: ${REQUESTS} requests (seed ${SEED})`, () => {
        const expected = records(theirs, signal, format).filter((one) => saysSomething(signal, one));
        expect(expected.length).toBeGreaterThan(REQUESTS / 3);
        expect(records(ours, signal, format).filter((one) => saysSomething(signal, one))).toEqual(expected);
      });
    }
  }
});

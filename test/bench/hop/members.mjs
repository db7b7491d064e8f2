/**
 * Members that were passed through are read by the program that they are for: agent, a real Collector as the next hop, the sink behind it.
 * Every span is counted behind the Collector; what it took is not measured.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { closedLoop } from '../traffic/closed-loop.mjs';
import { PORTS } from './compare.mjs';
import { startSink } from './measure.mjs';
import { prepare } from './prepare.mjs';
import { freePorts, startSubject } from './subject.mjs';
import { WORKS } from './works.mjs';

const REQUESTS_EACH = 100;
const DELIVERED_WITHIN_MS = 30_000;

/** @returns `{ sent, delivered, requestsIn, requestsOut }` or `{ failed }` */
export async function membersThroughCollector(work, pins) {
  const folder = mkdtempSync(join(os.tmpdir(), 'otlp-bench-'));
  const sink = await startSink(1, pins.sink);
  const started = [];
  try {
    const behind = { ...(await freePorts(PORTS)), sinks: sink.hello.ports };
    // The Collector says nothing about what it could read: what arrives behind it does. It sends on without compression.
    started.push(await startSubject('collector', WORKS['none-512'], behind, { cpus: pins.subject }));
    const ports = { ...(await freePorts(PORTS)), sinks: [behind.grpc] };
    started.push(await startSubject('ours', work, ports, { cpus: pins.subject }));
    const { files } = prepare(work, folder);
    const load = {
      files,
      protocol: 'grpc',
      signal: 'traces',
      encoding: 'gzip',
      port: ports.grpc,
      connections: 4,
      inFlight: 8,
      cpus: pins.driver,
    };
    await sink.ask({ reset: {} });
    const { sent } = await closedLoop({ ...load, requests: REQUESTS_EACH });
    const items = sent * work.items;
    const startedAt = performance.now();
    while ((await sink.ask('progress')).items < items && performance.now() - startedAt < DELIVERED_WITHIN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const counted = await sink.ask('finish');
    return { sent: items, delivered: counted.items, requestsIn: sent, requestsOut: counted.requests };
  } catch (error) {
    return { failed: error.message };
  } finally {
    for (const one of started.toReversed()) await one.end();
    await sink.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Signal } from '../../../agent/config/settings.ts';
import type { FileExporterSettings } from '../../../agent/export/file-config.ts';
import { jsonToProto } from '../../../agent/otlp/json/json.ts';
import { scan } from '../../../agent/otlp/wire.ts';
import { finish, post, startAgent } from '../kit/agent.ts';
import { decode, request } from '../kit/otlp.ts';
import { agentSettings, PATHS, QUEUE } from '../kit/settings.ts';
import { MAIN } from '../support/program.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'otlp-file-'));

function fileExporter(path: string, more: Partial<FileExporterSettings> = {}): FileExporterSettings {
  return {
    kind: 'file',
    id: 'file',
    path,
    append: false,
    format: 'json',
    timeoutMs: 5000,
    queue: { ...QUEUE, enabled: false, consumers: 1, capacity: 1, waitForResult: true },
    retry: { enabled: false, initialIntervalMs: 0, randomizationFactor: 0, multiplier: 1, maxIntervalMs: 0, maxElapsedMs: 0 },
    ...more,
  };
}

/** Whole lines only: the last one ends, too. */
function lines(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  if (text === '') return [];
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1).split('\n');
}

function itemsOf(signal: Signal, line: string): number {
  const found = scan(signal, jsonToProto(signal, Buffer.from(line)));
  if (!found.ok) throw new Error(found.reason);
  return found.items;
}

/** Records behind four bytes of length. */
function frames(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUInt32BE(at);
    found.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  expect(at).toBe(bytes.length);
  return found;
}

/** Descriptors come and go while they are listed. */
function readlinkSafely(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

describe('the file exporter', () => {
  it('writes one OTLP/JSON request a line, every signal into the same file, before the sender gets its answer', async () => {
    const path = join(folder(), 'out.json');
    const running = await startAgent({ exporters: [fileExporter(path)] });
    for (const [index, signal] of (['traces', 'metrics', 'logs', 'profiles'] as const).entries()) {
      const body = request(signal, 3);
      expect((await post(running.httpPort, PATHS[signal], body)).status).toBe(200);
      expect(lines(path).length).toBe(index + 1);
      expect(decode(signal, jsonToProto(signal, Buffer.from(lines(path)[index] as string)))).toEqual(decode(signal, body));
    }
    const books = await finish(running);
    expect(books.total.sent).toBe(12);
  });

  it('writes protobuf behind four bytes of length, byte for byte as it came', async () => {
    const path = join(folder(), 'out.bin');
    const running = await startAgent({ exporters: [fileExporter(path, { format: 'proto' })] });
    const bodies = [request('traces', 1), request('logs', 2), request('metrics', 3)];
    await post(running.httpPort, PATHS.traces, bodies[0] as Buffer);
    await post(running.httpPort, PATHS.logs, bodies[1] as Buffer);
    await post(running.httpPort, PATHS.metrics, bodies[2] as Buffer);
    expect(frames(readFileSync(path))).toEqual(bodies);
    await finish(running);
  });

  it('compresses each record with zstd, json too then behind its length', async () => {
    for (const format of ['json', 'proto'] as const) {
      const path = join(folder(), 'out.zst');
      const running = await startAgent({ exporters: [fileExporter(path, { format, zstdLevel: 3 })] });
      const body = request('traces', 50);
      await post(running.httpPort, PATHS.traces, body);
      await post(running.httpPort, PATHS.traces, body);
      for (const frame of frames(readFileSync(path))) {
        const record = zstdDecompressSync(frame);
        expect(decode('traces', format === 'json' ? jsonToProto('traces', record) : record)).toEqual(decode('traces', body));
      }
      await finish(running);
    }
  });

  it('empties the file at start, writes behind it with append and with rotation', async () => {
    const rotation = { maxBytes: 1e6, maxDays: 0, maxBackups: 0, localTime: false };
    for (const [more, expected] of [
      [{}, 1],
      [{ append: true }, 2],
      [{ rotation }, 2],
    ] as const) {
      const path = join(folder(), 'out.json');
      writeFileSync(path, '{}\n');
      const running = await startAgent({ exporters: [fileExporter(path, more)] });
      await post(running.httpPort, PATHS.traces, request('traces', 1));
      expect(lines(path).length).toBe(expected);
      await finish(running);
    }
  });

  it('rotates without losing or cutting a record under many senders, each file within its size, and keeps max_backups', async () => {
    const where = folder();
    const path = join(where, 'out.json');
    const rotation = { maxBytes: 20_000, maxDays: 0, maxBackups: 0, localTime: false };
    const running = await startAgent({ exporters: [fileExporter(path, { rotation })] });
    const sizes = Array.from({ length: 200 }, (_, i) => 1 + (i % 9));
    const answers = await Promise.all(sizes.map((items, i) => post(running.httpPort, PATHS.traces, request('traces', items, `r${i}`))));
    expect(answers.every((one) => one.status === 200)).toBe(true);
    const files = readdirSync(where);
    expect(files.length).toBeGreaterThan(5);
    let items = 0;
    for (const name of files) {
      expect(name).toMatch(/^out(-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}-size)?\.json$/);
      expect(statSync(join(where, name)).size).toBeLessThanOrEqual(20_000);
      for (const line of lines(join(where, name))) items += itemsOf('traces', line);
    }
    expect(items).toBe(sizes.reduce((a, b) => a + b, 0));
    await finish(running);

    const kept = { ...rotation, maxBackups: 3 };
    const again = await startAgent({ exporters: [fileExporter(path, { rotation: kept })] });
    for (let i = 0; i < 30; i += 1) await post(again.httpPort, PATHS.traces, request('traces', 9));
    expect(readdirSync(where).length).toBe(4);
    await finish(again);
  });

  it('writes a record that is larger than a file may be into a file of its own', async () => {
    const where = folder();
    const path = join(where, 'out.json');
    const running = await startAgent({
      exporters: [fileExporter(path, { rotation: { maxBytes: 500, maxDays: 0, maxBackups: 0, localTime: true } })],
    });
    for (const items of [1, 50, 1]) expect((await post(running.httpPort, PATHS.traces, request('traces', items))).status).toBe(200);
    const found = readdirSync(where).map((name) => lines(join(where, name)).map((line) => itemsOf('traces', line)));
    expect(found.flat().toSorted((a, b) => a - b)).toEqual([1, 1, 50]);
    expect(found.length).toBe(3);
    await finish(running);
  });

  it('removes rotated files that are older than max_days, and nothing else', async () => {
    const where = folder();
    const path = join(where, 'out.json');
    const strangers = ['out-2001-01-01T00-00-00.000-size.txt', 'out-notes.json', 'other-2001-01-01T00-00-00.000-size.json'];
    for (const name of [...strangers, 'out-2001-01-01T00-00-00.000-size.json']) writeFileSync(join(where, name), '');
    const running = await startAgent({
      exporters: [fileExporter(path, { rotation: { maxBytes: 100, maxDays: 2, maxBackups: 0, localTime: false } })],
    });
    for (let i = 0; i < 2; i += 1) await post(running.httpPort, PATHS.traces, request('traces', 2));
    expect(existsSync(join(where, 'out-2001-01-01T00-00-00.000-size.json'))).toBe(false);
    for (const name of strangers) expect(existsSync(join(where, name))).toBe(true);
    expect(readdirSync(where).length).toBe(strangers.length + 2);
    await finish(running);
  });

  it('loses nothing when other settings of the same file are loaded under load', async () => {
    const path = join(folder(), 'out.json');
    const running = await startAgent({ exporters: [fileExporter(path)] });
    const sent: Promise<Response>[] = [];
    for (let i = 0; i < 60; i += 1) {
      sent.push(post(running.httpPort, PATHS.traces, request('traces', 2, `r${i}`)));
      if (i % 20 === 10)
        await running.agent.reload({
          ...running.agent.settings,
          ...agentSettings({ exporters: [fileExporter(path, { timeoutMs: 1000 + i })] }),
          receivers: running.agent.settings.receivers,
        });
    }
    expect((await Promise.all(sent)).map((one) => one.status)).toEqual(sent.map(() => 200));
    expect(lines(path).reduce((sum, line) => sum + itemsOf('traces', line), 0)).toBe(120);
    await finish(running);
  });

  it('fails to start where the file cannot be opened, and says the key, the path and what to do', async () => {
    const missing = join(folder(), 'no', 'such', 'out.json');
    await expect(startAgent({ exporters: [fileExporter(missing)] })).rejects.toThrow(
      /exporters\.file\.path: cannot write to .*create_directory: true/,
    );
    const running = await startAgent({ exporters: [fileExporter(missing, { directoryMode: 0o700 })] });
    expect(statSync(join(missing, '..')).mode & 0o777).toBe(0o700);
    await finish(running);
  });

  it('fails a reload whose file cannot be opened: the old exporters run on, what was opened for it is closed', async () => {
    const where = folder();
    const running = await startAgent({ exporters: [fileExporter(join(where, 'a.json'))] });
    const opened = fileExporter(join(where, 'b.json'), { id: 'file/b' });
    const missing = fileExporter(join(where, 'no', 'c.json'), { id: 'file/c' });
    const { receivers } = running.agent.settings;
    await expect(running.agent.reload({ ...agentSettings({ exporters: [opened, missing] }), receivers })).rejects.toThrow(/file\/c\.path/);
    expect((await post(running.httpPort, PATHS.traces, request('traces', 1))).status).toBe(200);
    const open = readdirSync('/proc/self/fd').map((fd) => readlinkSafely(`/proc/self/fd/${fd}`));
    expect(open).toContain(join(where, 'a.json'));
    expect(open).not.toContain(join(where, 'b.json'));
    await finish(running);
  });

  it('fails a request with 503 while the disk is full, and keeps none of it', async () => {
    const running = await startAgent({ exporters: [fileExporter('/dev/full')] });
    const answer = await post(running.httpPort, PATHS.traces, request('traces', 3));
    expect(answer.status).toBe(503);
    const books = await finish(running);
    expect(books.total).toMatchObject({ sent: 0, sendFailed: 3 });
  });

  it('fails a record that fits only in part, cuts it off again, and goes on when there is room', async () => {
    const where = folder();
    const path = join(where, 'out.json');
    const config = join(where, 'agent.yaml');
    writeFileSync(
      config,
      `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
exporters: { file: { path: ${path} } }
service: { telemetry: { metrics: { level: none } }, pipelines: { traces: { receivers: [otlp], exporters: [file] } } }
`,
    );
    // A limit on the size of files stands for a disk: the kernel takes what fits, then says EFBIG. Signal XFSZ is ignored, as exec keeps that.
    const child = spawn('sh', ['-c', `trap '' XFSZ; exec "$0" "$@"`, process.execPath, MAIN, '--config', config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const port = await new Promise<number>((resolve) => {
      let out = '';
      child.stdout.on('data', (data: Buffer) => {
        out += data.toString();
        const found = /otlp\/http":"127\.0\.0\.1:(\d+)/.exec(out);
        if (found !== null) resolve(Number(found[1]));
      });
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const body = request('traces', 5);
    expect((await post(port, PATHS.traces, body)).status).toBe(200);
    const one = statSync(path).size;
    execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${Math.floor(one * 1.5)}:`]);
    expect((await post(port, PATHS.traces, body)).status).toBe(503);
    expect(lines(path).length).toBe(1);
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:']);
    expect((await post(port, PATHS.traces, body)).status).toBe(200);
    expect(lines(path).map((line) => itemsOf('traces', line))).toEqual([5, 5]);
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('close', resolve));
  });
});

describe('the nop exporter', () => {
  it('takes everything and counts it as sent', async () => {
    const { queue, retry } = fileExporter('');
    const running = await startAgent({ exporters: [{ kind: 'nop', id: 'nop', timeoutMs: 1000, queue, retry }] });
    for (const signal of ['traces', 'metrics', 'logs', 'profiles'] as const)
      expect((await post(running.httpPort, PATHS[signal], request(signal, 3))).status).toBe(200);
    expect((await finish(running)).total.sent).toBe(12);
  });
});

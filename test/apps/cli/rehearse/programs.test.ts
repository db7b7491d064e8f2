import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Program, RehearsalError } from '../../../../apps/cli/rehearse/programs.ts';
import { newFolder } from '../run-cli.ts';

const AGENT = fileURLToPath(new URL('../../../../agent/main.ts', import.meta.url));

describe('a program of the rehearsal', () => {
  it('fails with the port and the key of the configuration when the port is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const folder = newFolder();
    const config = join(folder, 'agent.yaml');
    writeFileSync(
      config,
      `receivers: { otlp: { protocols: { http: { endpoint: '127.0.0.1:${port}' } } } }
exporters: { debug: {} }
service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } }, telemetry: { metrics: { level: none } } }
`,
    );
    const started = Program.start(
      {
        name: 'the agent',
        command: process.execPath,
        args: [AGENT, '--config', config],
        env: {},
        logFile: join(folder, 'agent.log'),
        // Nobody answers here before the agent does.
        readyUrl: `http://127.0.0.1:1/`,
      },
      new AbortController().signal,
    );
    await expect(started).rejects.toThrow(RehearsalError);
    await expect(started).rejects.toThrow('the agent ended with exit code 1 before it was ready');
    await expect(started).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port}`));
    await expect(started).rejects.toThrow('agent.yaml:1: receivers.otlp.protocols.http.endpoint');
  });

  it('fails when the program is not there', async () => {
    const started = Program.start(
      {
        name: 'Jaeger',
        command: join(newFolder(), 'jaeger'),
        args: [],
        env: {},
        logFile: join(newFolder(), 'jaeger.log'),
        readyUrl: 'http://127.0.0.1:1/',
      },
      new AbortController().signal,
    );
    await expect(started).rejects.toThrow('Jaeger ended with exit code -1 before it was ready');
  });
});

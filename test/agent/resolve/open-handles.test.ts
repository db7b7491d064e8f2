import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ownPort } from '../kit/ports.ts';
import { ConsulServer } from './consul-server.ts';

it('a program that has closed its resolvers and registrations ends by itself', async () => {
  const consul = await ConsulServer.start();
  const token = join(mkdtempSync(join(tmpdir(), 'otlp-handles-')), 'token');
  writeFileSync(token, 'x');
  const program = fileURLToPath(new URL('./open-handles.ts', import.meta.url));
  const child = spawn(process.execPath, ['--no-warnings', program, consul.url, `http://127.0.0.1:${await ownPort()}`, token]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  // A handle that is left open would hold it for as long as its own timer takes, an hour.
  const limit = setTimeout(() => child.kill('SIGKILL'), 120_000);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(limit);
  await consul.stop();
  expect(output).toBe('closed\n');
  expect(code).toBe(0);
});

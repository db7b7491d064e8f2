import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sizeThreadPool } from '../../../agent/runtime/thread-pool.ts';

const sized = (environment: NodeJS.ProcessEnv, cpus: number): string | undefined => {
  sizeThreadPool(environment, cpus);
  return environment.UV_THREADPOOL_SIZE;
};

describe("libuv's pool", () => {
  it('has as many threads as there are CPUs, two at least, unless the user has said how many', () => {
    expect(sized({}, 1)).toBe('2');
    expect(sized({}, 2)).toBe('2');
    expect(sized({}, 6)).toBe('6');
    expect(sized({ UV_THREADPOOL_SIZE: '3' }, 6)).toBe('3');
  });

  it.runIf(process.platform === 'linux')('is sized early enough for its first work', async () => {
    const module = fileURLToPath(new URL('../../../agent/runtime/thread-pool.ts', import.meta.url));
    const program = `
      const { sizeThreadPool } = await import(${JSON.stringify(module)});
      sizeThreadPool(process.env, 3);
      const { gzip } = await import('node:zlib');
      for (let i = 0; i < 20; i += 1) gzip('x', () => console.log('done'));
      setInterval(() => {}, 1000);`;
    const { UV_THREADPOOL_SIZE: _, ...env } = process.env;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'], env });
    await once(child.stdout, 'data');
    const names = readdirSync(`/proc/${child.pid}/task`).map((id) => {
      try {
        return readFileSync(`/proc/${child.pid}/task/${id}/comm`, 'utf8').trim();
      } catch {
        return 'ended'; // between the list and the look; those of the pool stay
      }
    });
    child.kill();
    expect(names.filter((name) => name === 'libuv-worker')).toHaveLength(3);
  });
});

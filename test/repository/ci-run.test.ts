import { chmodSync, cpSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/run.ts';
import { ROOT, scratch } from './scratch.ts';

/** A disk with so many GiB free: how full the machine's own is must decide nothing here. */
const disk = (gib: number): string => `#!/bin/bash\necho header; echo '/dev/x 100 90 ${gib * 1024 * 1024} 90% /'\n`;

/** Runs a copy of .ci/run whose `npm` answers by the name of the script, and whose real programs are built by `build`. */
async function ci(
  lanes: { readonly [script: string]: string },
  build = 'exit 0',
  more: { readonly [path: string]: string } = {},
): Promise<{ code: number; lines: readonly string[] }> {
  const npm = `#!/bin/bash\nfor arg; do case $arg in -*|run) ;; *) script=$arg ;; esac; done\ncase $script in\n${Object.entries(lanes)
    .map(([script, body]) => `${script}) ${body} ;;`)
    .join('\n')}\n*) echo '1 passed, 0 failed, 0 skipped' ;;\nesac\n`;
  const programs = {
    'fake/npm': npm,
    'fake/go': '#!/bin/bash\n',
    'fake/df': disk(100),
    'test/real/components/build': `#!/bin/bash\n${build}\n`,
    ...more,
  };
  const folder = scratch({ 'scripts/bootstrap.mjs': '', ...programs });
  for (const path of Object.keys(programs)) chmodSync(join(folder, path), 0o755);
  cpSync(join(ROOT, '.ci', 'run'), join(folder, '.ci', 'run'));
  const env = { ...process.env, PATH: `${join(folder, 'fake')}${delimiter}${process.env.PATH}`, OTLP_REAL_CACHE: join(folder, 'cache') };
  const { code, output } = await run('bash', [join(folder, '.ci', 'run')], { env });
  return { code, lines: output.trimEnd().split('\n') };
}

describe.skipIf(process.platform !== 'linux')('.ci/run', () => {
  it('sums the closing lines of all lanes in its own last line', async () => {
    const { code, lines } = await ci({ lint: "echo '6 passed, 0 failed, 0 skipped'", test: "echo '90 passed, 0 failed, 4 skipped'" });
    // install, packages, faults, the real build and the real lane are one each.
    expect(lines.at(-1)).toBe('102 passed, 0 failed, 4 skipped');
    expect(code).toBe(0);
  });

  it('fails when a lane fails, and still runs the others', async () => {
    const { code, lines } = await ci({ lint: "echo '6 passed, 1 failed, 0 skipped'; exit 1" });
    expect(lines.at(-1)).toBe('13 passed, 1 failed, 0 skipped');
    expect(code).toBe(1);
  });

  it('fails when a lane dies without a closing line', async () => {
    const { code, lines } = await ci({ test: 'kill -9 $$' });
    expect(lines.at(-1)).toBe('7 passed, 1 failed, 0 skipped');
    expect(code).toBe(1);
  });

  it.each([
    ['fails when a recipe of the real programs breaks', 'exit 1', '7 passed, 1 failed, 0 skipped', 1],
    ['skips with words when a recipe lacks a tool', 'exit 3', '7 passed, 0 failed, 1 skipped', 0],
    ['skips with words when the real programs are out of time', 'exit 124', '7 passed, 0 failed, 1 skipped', 0],
  ])('%s', async (_, build, closing, exitCode) => {
    const { code, lines } = await ci({}, build);
    expect(lines.at(-1)).toBe(closing);
    expect(code).toBe(exitCode);
    expect(lines.filter((line) => line.startsWith('real-build ')).length).toBe(1);
  });

  it('skips the real programs with words where the disk is too small for them', async () => {
    const { code, lines } = await ci({}, 'exit 0', { 'fake/df': disk(1) });
    expect(lines.at(-1)).toBe('7 passed, 0 failed, 1 skipped');
    expect(lines.join('\n')).toContain('1 GiB of disk are free at the cache');
    expect(code).toBe(0);
  });

  it('gives its lanes no standard input', async () => {
    const { lines } = await ci({
      lint: "if read -r line; then echo '0 passed, 1 failed, 0 skipped'; else echo '1 passed, 0 failed, 0 skipped'; fi",
    });
    expect(lines.at(-1)).toBe('8 passed, 0 failed, 0 skipped');
  });
});

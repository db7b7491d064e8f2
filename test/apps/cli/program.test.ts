import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

const COMMANDS = ['synth', 'rehearse', 'requirements', 'secrets', 'graph', 'start'];

describe('help', () => {
  it('names every command, the first steps and the exit codes', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stdout).toContain('First steps:');
    expect(stdout).toContain('Exit codes: 0 done, 1 something failed or was lost, 2 the input is wrong (a file, a folder, an option)');
  });

  it.each(COMMANDS)('of %s says what it does and takes --json', async (command) => {
    const { code, stdout, stderr } = await runCli([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: otlp-stack ${command}`);
    expect(stdout).toContain('--json');
  });

  it('of rehearse documents the defaults', async () => {
    const { stdout } = await runCli(['rehearse', '--help']);
    expect(stdout).toMatch(/folder +rendered manifests \(default: "dist"\)/);
    expect(stdout).toMatch(/--spans <number>[^\n]*\(default: 100000\)/);
    expect(stdout).toMatch(/--protocol <protocol>[\s\S]*default: "http\/protobuf"/);
    expect(stdout).toContain('exit code 1');
  });
});

describe('version', () => {
  it('is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../apps/cli/package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('fails with exit code 2 and no stack on', () => {
  it.each([
    [['sinth'], "unknown command 'sinth'"],
    [['synth', '--profil', 'x'], "unknown option '--profil'"],
    [['synth', '--profile', 'huge'], 'production, development'],
    [['secrets'], "missing required argument 'folder'"],
    [['rehearse', '--spans', 'many'], 'a whole number from 1 to 5000000 is needed'],
    [['rehearse', '--spans', '0'], 'a whole number from 1 to 5000000 is needed'],
    [['rehearse', '--sink', 'kitchen'], 'embedded, real'],
    [['rehearse', '--protocol', 'json'], 'http/protobuf, grpc'],
  ])('%j', async (args, words) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

import { describe, expect, it } from 'vitest';
import { plainArguments } from '../../../agent/commands/program.ts';
import { runAgent } from '../support/program.ts';

describe('the arguments of every day', () => {
  it.each([
    [['--config', 'a.yaml'], ['a.yaml'], []],
    [['--config=a.yaml', '--config', 'yaml:{a: 1}'], ['a.yaml', 'yaml:{a: 1}'], []],
    [['--set', 'a=1', '--config=a.yaml', '--set=b=--c'], ['a.yaml'], ['a=1', 'b=--c']],
    [['--config=yaml:a:\n  b: 1'], ['yaml:a:\n  b: 1'], []],
  ])('are read without a parser of command lines: %j', (args, config, set) => {
    expect(plainArguments(args)).toEqual({ config, set });
  });

  it.each([
    [[]],
    [['--set', 'a=1']],
    [['--config']],
    [['--config=']],
    [['--config', '']],
    [['--config', '--set', 'a=1']],
    [['--config', '-c']],
    [['--config', 'a.yaml', 'validate']],
    [['validate', '--config', 'a.yaml']],
    [['--config', 'a.yaml', '--feature-gates=x']],
    [['--config', 'a.yaml', '--', 'b']],
    [['--configs', 'a.yaml']],
    [['--conf', 'a.yaml']],
    [['-v']],
    [['--help']],
  ])('leave all else to it: %j', (args) => {
    expect(plainArguments(args)).toBeUndefined();
  });

  it('fail with the words of the parser, in either way', async () => {
    const plain = ['--config', '/no/such/file', '--set=a=1'];
    expect(plainArguments(plain)).toBeDefined();
    const parsed = await runAgent([...plain, '--feature-gates=x']);
    expect(parsed).toMatchObject({ code: 1, stderr: expect.stringContaining('/no/such/file: there is no such file') });
    expect(await runAgent(plain)).toEqual(parsed);
  });
});

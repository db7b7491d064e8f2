import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { load } from '../../../agent/config/load.ts';
import { COMPONENTS } from '../../../agent/config/registry.ts';
import { VERSION } from '../../../agent/runtime/version.ts';
import { MINIMAL } from '../support/config.ts';
import { configFile, runAgent } from '../support/program.ts';

describe('the command line', () => {
  it('prints help with examples and exit codes, and the version', async () => {
    const help = await runAgent(['--help']);
    expect(help.code).toBe(0);
    for (const word of ['validate', 'components', 'health-check', 'print-config', '--config', '--set', 'Examples:', 'Exit codes:'])
      expect(help.stdout).toContain(word);
    expect(await runAgent(['--version'])).toEqual({ code: 0, stdout: `otlp-agent version ${VERSION}\n`, stderr: '' });
  });

  it.each([
    [[], 'at least one --config is needed'],
    [['--confg', 'x'], "unknown option '--confg'"],
    [['validat', '--config', 'x'], 'unknown command "validat"; did you mean "validate"?'],
    [['validate'], 'at least one --config is needed'],
    [['health-check', '--timeout', 'soon'], 'Write a duration such as 3s.'],
  ])('fails with exit code 2 on %j', async (args, message) => {
    const { code, stdout, stderr } = await runAgent(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
    expect(stdout).toBe('');
  });
});

describe('otlp-agent validate', () => {
  it('accepts a file, with options before and after its name', async () => {
    const file = configFile(MINIMAL);
    expect(await runAgent(['validate', '--config', file])).toEqual({ code: 0, stdout: 'The configuration is valid.\n', stderr: '' });
    expect((await runAgent(['--config', file, 'validate', '--set', 'exporters.otlp_grpc.timeout=1s'])).code).toBe(0);
  });

  it('fails with every problem, each with file and line, and without a stack', async () => {
    const file = configFile(MINIMAL.replace('insecure', 'insecur').replace('[otlp]', '[otpl]'));
    const { code, stdout, stderr } = await runAgent(['validate', `--config=${file}`]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    const [first, ...problems] = stderr.trimEnd().split('\n');
    expect(first).toMatch(/^The configuration has \d problems; nothing was started:$/u);
    expect(problems).toContainEqual(
      expect.stringContaining(`${file}:10: exporters.otlp_grpc.tls.insecur: unknown key "insecur" (true); did you mean "insecure"?`),
    );
    expect(problems).toContainEqual(
      expect.stringContaining(
        `${file}:14: service.pipelines.traces.receivers[0]: the receiver "otpl" is not configured; did you mean "otlp"?`,
      ),
    );
    expect(stderr).not.toContain('    at ');
  });

  it.each([
    ['a file that is not there', '/no/such/agent.yaml', '/no/such/agent.yaml: there is no such file; give the path of a YAML file'],
    ['a folder', dirname(configFile('')), 'is a folder; give the path of a YAML file'],
    ['YAML that does not parse', configFile('receivers:\n  otlp: [\n'), 'agent.yaml:'],
    ['a list', configFile('- a\n'), 'agent.yaml:1: the top level is a list, not a map'],
    ['an empty file', configFile(''), 'receivers: there must be at least one'],
    ['a scheme nobody has', 'ftp:x', 'the scheme "ftp" of --config ftp:x is not supported'],
  ])('fails on %s', async (_title, config, message) => {
    const { code, stderr } = await runAgent(['validate', '--config', config]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  it('lists what the Collector would refuse with --portable', async () => {
    const ours = [
      'agent.drain_deadline=5s',
      'exporters.otlp_grpc.sending_queue.on_overflow=drop_oldest',
      'processors.memory_limiter.limit_mib=100',
    ];
    const sets = [
      ...ours,
      'service.pipelines.traces.processors=[memory_limiter]',
      'service.pipelines.profiles={receivers: [otlp], exporters: [otlp_grpc]}',
    ];
    sets.push('service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {port: 9464}}}}]');
    const args = ['validate', '--config', configFile(MINIMAL), ...sets.flatMap((set) => ['--set', set])];
    expect((await runAgent(args)).code).toBe(0);
    const { code, stderr } = await runAgent([...args, '--portable']);
    expect(code).toBe(1);
    expect(stderr).toContain('agent: the section is of this agent alone');
    expect(stderr).toContain('exporters.otlp_grpc.sending_queue.on_overflow: the key is of this agent alone');
    expect(stderr).toContain('processors.memory_limiter: has no check_interval');
    expect(stderr).toContain('service.pipelines.profiles: needs --feature-gates=service.profilesSupport there');
    expect(stderr).toContain('readers[0].pull.exporter.prometheus: has no host, which has no default there');
    expect((await runAgent(['validate', '--portable', '--config', configFile(MINIMAL)])).code).toBe(0);
  });

  it('prints JSON', async () => {
    const { code, stdout } = await runAgent([
      'validate',
      '--json',
      '--config',
      configFile(MINIMAL),
      '--set',
      'exporters.otlp_grpc.timeout=x',
    ]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      problems: [{ code: 'OTLP_CONFIG_TYPE', key: 'exporters.otlp_grpc.timeout', at: '--set exporters.otlp_grpc.timeout' }],
    });
  });
});

describe('otlp-agent components', () => {
  it('lists every component with its signals, as text and as JSON', async () => {
    const { code, stdout } = await runAgent(['components']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/exporters:\n {2}otlp_grpc \(otlp\) +traces metrics logs profiles/u);
    const { stdout: json } = await runAgent(['components', '--json']);
    const listed = JSON.parse(json) as Record<string, { type: string }[]>;
    const typesOf = (sections: object): [string, string[]][] =>
      Object.entries(sections as typeof listed).map(([section, types]) => [section, types.map(({ type }) => type)]);
    expect(typesOf(listed)).toEqual(typesOf(COMPONENTS).filter(([section]) => section in listed));
    expect(Object.keys(listed)).toEqual(expect.arrayContaining(['receivers', 'processors', 'exporters', 'extensions']));
  });
});

describe('otlp-agent print-config', () => {
  it('prints a configuration with every default that means the same again, headers masked', async () => {
    const sets = ['exporters.otlp_grpc.headers.authorization=Bearer hush', 'exporters.otlp_grpc.sending_queue.batch='];
    const { code, stdout } = await runAgent(['print-config', '--config', configFile(MINIMAL), ...sets.flatMap((set) => ['--set', set])]);
    expect(code).toBe(0);
    expect(stdout).not.toContain('hush');
    const shown = parse(stdout) as { exporters: { otlp_grpc: Record<string, unknown> } };
    expect(shown.exporters.otlp_grpc).toMatchObject({
      timeout: '5s',
      headers: { authorization: '[REDACTED]' },
      sending_queue: { queue_size: 1000, batch: { flush_timeout: '200ms', min_size: 8192 } },
      retry_on_failure: { max_elapsed_time: '5m' },
    });
    const again = load({ configs: [`yaml:${stdout}`], environment: {} }).settings;
    const before = load({ configs: [`yaml:${MINIMAL}`], sets: sets.slice(1), environment: {} }).settings;
    expect({ ...again, exporters: { otlp_grpc: { ...again.exporters.otlp_grpc, headers: {} } } }).toEqual(before);
  });

  it('prints the JSON Schema', async () => {
    const { stdout } = await runAgent(['print-config', '--schema']);
    expect(JSON.parse(stdout)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', additionalProperties: false });
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { load } from '../../agent/config/load.ts';
import { portableFindings } from '../../agent/config/portable.ts';
import { ConfigError } from '../../agent/config/problems.ts';
import { loadYaml, MINIMAL } from '../agent/support/config.ts';
import { describeReal, newFolder, realPath, runProgram } from './support/index.ts';

const ENDPOINT = 'endpoint: gateway:4317';

/** A key of the exporter before `tls`. */
const withKey = (lines: string): string => MINIMAL.replace('    tls:', `    ${lines}\n    tls:`);
const named = (id: string): string => MINIMAL.replace('otlp_grpc:', `${id}:`).replace('[otlp_grpc]', `['${id}']`);

/** Texts at the edges of YAML, where two parsers part company most easily. */
const TEXTS: Readonly<Record<string, string>> = {
  'a section twice': `${MINIMAL}exporters:\n  debug:\n`,
  'a key twice': MINIMAL.replace(ENDPOINT, `${ENDPOINT}\n    ${ENDPOINT}`),
  'a tab': MINIMAL.replace('    endpoint', '\tendpoint'),
  'a number as key': `${MINIMAL}1: x\n`,
  'a boolean as key': withKey('true: x'),
  'null as key': withKey('~: x'),
  'an empty key': withKey('"": x'),
  'a list as key': withKey('? [a]\n    : b'),
  'a second document': `${MINIMAL}---\nfoo: 1\n`,
  'document marks': `---\n${MINIMAL}...\n`,
  'a byte order mark': `\ufeff${MINIMAL}`,
  'a null byte': `${MINIMAL}\0`,
  'carriage returns': MINIMAL.replaceAll('\n', '\r\n'),
  'an unknown alias': MINIMAL.replace('gateway:4317', '*x'),
  'an alias of itself': withKey('headers: &h { a: *h }'),
  'a merge of no map': withKey('<<: 1'),
  '!!str': MINIMAL.replace('gateway:4317', '!!str gateway:4317'),
  '!!str of a number': withKey('authority: !!str 12'),
  '!!binary': withKey('authority: !!binary aGk='),
  'an unknown tag': MINIMAL.replace('gateway:4317', '!foo gateway:4317'),
  'an escape': MINIMAL.replace('gateway:4317', '"gate\\x77ay:4317"'),
  'a bad escape': MINIMAL.replace('gateway:4317', '"gate\\qway:4317"'),
  'an open quote': MINIMAL.replace('gateway:4317', '"gateway:4317'),
  'folded text': MINIMAL.replace('gateway:4317', '>-\n      gateway:4317'),
  'literal text with its newline': MINIMAL.replace('gateway:4317', '|\n      gateway:4317'),
  'a date where text is wanted': withKey('authority: 2020-01-01'),
  on: MINIMAL.replace('insecure: true', 'insecure: on'),
  yes: MINIMAL.replace('insecure: true', 'insecure: yes'),
  True: MINIMAL.replace('insecure: true', 'insecure: True'),
  'true in quotes': MINIMAL.replace('insecure: true', 'insecure: "true"'),
  'an octal number': withKey('sending_queue: { queue_size: 010 }'),
  'a number with an exponent': withKey('sending_queue: { queue_size: 1e3 }'),
  'a number beyond 64 bits': withKey('sending_queue: { queue_size: 99999999999999999999 }'),
  infinity: withKey('sending_queue: { queue_size: .inf }'),
  nothing: '',
  'a comment': '# nothing\n',
  'a text': 'x',
  'a list': '- a',
  'a comma before a bracket': MINIMAL.replace('[otlp]', '[otlp,]'),
  'an open bracket': MINIMAL.replace('[otlp]', '[otlp'),
  'an id with blanks around it': MINIMAL.replace('[otlp]', '[" otlp "]'),
  'an id in capitals': MINIMAL.replace('[otlp]', '[OTLP]'),
  'two ids that differ in blanks': MINIMAL.replace('  otlp:\n', '  otlp:\n    protocols: { grpc: }\n  " otlp":\n'),
  'a name beyond ASCII': named('otlp_grpc/ünï'),
  'a name with a symbol': named('otlp_grpc/a$b'),
  'a name with a tilde': named('otlp_grpc/a~b'),
  'a name with a slash': named('otlp_grpc/a/b'),
  'a name with a dot': named('otlp_grpc/a.b'),
  ':: in a header': withKey('headers: { "a::b": x }'),
  '. in a header': withKey('headers: { a.b: x }'),
};

/** What only the agent accepts; --portable must say so of each. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  'the section agent': ['agent.drain_deadline=5s'],
  on_overflow: ['exporters.otlp_grpc.sending_queue.on_overflow=drop_oldest'],
  'a memory_limiter without check_interval': [
    'processors.memory_limiter.limit_mib=100',
    'service.pipelines.traces.processors=[memory_limiter]',
  ],
  'a pipeline of profiles': ['service.pipelines.profiles={receivers: [otlp], exporters: [otlp_grpc]}'],
};

describeReal(['otelcol'], 'agent and Collector 0.155 read the same YAML', () => {
  async function collectorAccepts(text: string, sets: readonly string[] = []): Promise<boolean> {
    const folder = newFolder('agreement-yaml');
    const path = join(folder, 'agent.yaml');
    writeFileSync(path, text);
    const { code } = await runProgram(realPath('otelcol'), ['validate', `--config=${path}`, ...sets.map((set) => `--set=${set}`)], {
      cwd: folder,
    });
    return code === 0;
  }

  function agentAccepts(text: string): boolean {
    try {
      load({ configs: [`yaml:${text}`], environment: {} });
      return true;
    } catch (error) {
      if (error instanceof ConfigError) return false;
      throw error;
    }
  }

  it.each(Object.entries(TEXTS))('both accept or both refuse %s', async (_title, text) => {
    expect(agentAccepts(text)).toBe(await collectorAccepts(text));
  });

  it.each(Object.entries(OURS))('--portable lists what only the agent accepts: %s', async (_title, sets) => {
    expect(portableFindings(loadYaml(MINIMAL).root)).toEqual([]);
    expect(await collectorAccepts(MINIMAL, sets)).toBe(false);
    expect(portableFindings(loadYaml(MINIMAL, { sets }).root)).toHaveLength(1);
  });
});

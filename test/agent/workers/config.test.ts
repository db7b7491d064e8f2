import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { workersOf } from '../../../agent/workers/count.ts';
import { type LogLine, recordingLog } from '../kit/agent.ts';
import { loadYaml, MINIMAL, problemsOf } from '../support/config.ts';

const sets = (...list: string[]) => ({ sets: list });

describe('agent.workers', () => {
  it('is 1 where nobody says otherwise', () => {
    expect(loadYaml(MINIMAL).settings.agent.workers).toBe(1);
    expect(loadYaml(MINIMAL, sets('agent.workers=3')).settings.agent.workers).toBe(3);
  });

  it.each(['0', '-1', '65', '"2"', '1.5', 'auto'])('fails on %s with the range', (value) => {
    expect(problemsOf(MINIMAL, sets(`agent.workers=${value}`))).toMatchObject([
      { code: 'OTLP_CONFIG_TYPE', path: ['agent', 'workers'], message: expect.stringContaining('wants an integer from 1 to 64') },
    ]);
  });

  it('fails where a file would have several writers, with the remedy', () => {
    const file = sets('agent.workers=2', 'exporters={file: {path: /tmp/spans.json}}', 'service.pipelines.traces.exporters=[file]');
    expect(problemsOf(MINIMAL, file)).toMatchObject([
      {
        code: 'OTLP_CONFIG_VALUE',
        path: ['exporters', 'file'],
        message:
          'writes one file, which has one writer, and agent.workers is 2; set agent.workers to 1, or write the file in an agent of its own',
      },
    ]);
  });

  it('fails where a queue is too small to be shared out', () => {
    expect(problemsOf(MINIMAL, sets('agent.workers=4', 'exporters.otlp_grpc.sending_queue.queue_size=3'))).toMatchObject([
      {
        path: ['exporters', 'otlp_grpc', 'sending_queue', 'queue_size'],
        message: '(3) must not be less than agent.workers (4): each worker has its share of it',
      },
    ]);
  });

  it('says what is not as it is written: fewer consumers than workers, a unix socket', () => {
    const { notices } = loadYaml(
      MINIMAL,
      sets(
        'agent.workers=4',
        'exporters.otlp_grpc.sending_queue.num_consumers=1',
        'receivers.otlp.protocols.grpc={endpoint: /tmp/otlp.sock, transport: unix}',
      ),
    );
    expect(notices.map(({ path, message }) => `${path.join('.')} ${message}`)).toEqual(
      expect.arrayContaining([
        'exporters.otlp_grpc.sending_queue.num_consumers (1) is less than agent.workers (4): each worker has one, so that they are 4',
        'receivers.otlp.protocols.grpc.endpoint is a unix socket, which the kernel does not spread: one of the 4 workers serves it',
      ]),
    );
  });
});

describe('how many workers run', () => {
  const count = (workers: number, startable: boolean, platform: NodeJS.Platform = 'linux') => {
    const lines: LogLine[] = [];
    const { settings } = loadYaml(MINIMAL, sets(`agent.workers=${workers}`));
    return { workers: workersOf(settings, startable, recordingLog(lines), platform), lines };
  };

  it('is what is written, with nothing said', () => {
    expect(count(1, false)).toEqual({ workers: 1, lines: [] });
    expect(count(availableParallelism(), true)).toEqual({ workers: availableParallelism(), lines: [] });
  });

  it('is 1 on systems that do not spread connections, and inside of another program, which the log says', () => {
    expect(count(2, true, 'darwin')).toMatchObject({
      workers: 1,
      lines: [{ level: 'warn', fields: { key: 'agent.workers', message: expect.stringContaining('has no effect on darwin') } }],
    });
    expect(count(2, false)).toMatchObject({
      workers: 1,
      lines: [{ fields: { message: 'has no effect inside of another program: everything runs in its thread, not in 2 workers' } }],
    });
  });

  it('may be more than the CPUs, which the log says', () => {
    const more = availableParallelism() + 1;
    expect(count(more, true)).toMatchObject({ workers: more, lines: [{ level: 'warn' }] });
  });
});

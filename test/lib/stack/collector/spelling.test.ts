import { describe, expect, it } from 'vitest';
import { COLLECTOR_VERSION, ComponentKind, Spelling } from '../../../../lib/stack/collector/index.ts';
import { everyComponent } from './support/every-component.ts';

const RENAMED: [ComponentKind, string, string, number][] = [
  [ComponentKind.EXPORTER, 'otlp', 'otlp_grpc', 144],
  [ComponentKind.EXPORTER, 'otlphttp', 'otlp_http', 144],
  [ComponentKind.PROCESSOR, 'k8sattributes', 'k8s_attributes', 146],
  [ComponentKind.RECEIVER, 'filelog', 'file_log', 149],
  [ComponentKind.RECEIVER, 'hostmetrics', 'host_metrics', 153],
  [ComponentKind.RECEIVER, 'kubeletstats', 'kubelet_stats', 153],
  [ComponentKind.PROCESSOR, 'resourcedetection', 'resource_detection', 153],
  [ComponentKind.EXPORTER, 'prometheusremotewrite', 'prometheus_remote_write', 154],
  [ComponentKind.CONNECTOR, 'spanmetrics', 'span_metrics', 155],
];

describe('spelling by version', () => {
  for (const [kind, before, name, since] of RENAMED) {
    it(`${before} is ${name} from 0.${since} on`, () => {
      for (const written of [before, name]) {
        expect(Spelling.of(`0.${since - 1}.0`).typeOf(kind, written)).toBe(before);
        expect(Spelling.of(`0.${since}.0`).typeOf(kind, written)).toBe(name);
        expect(Spelling.of(`v0.${since + 20}.3`).typeOf(kind, written)).toBe(name);
      }
    });
  }

  it('leaves the otlp receiver and what it does not know alone', () => {
    expect(Spelling.of('0.140.0').typeOf(ComponentKind.RECEIVER, 'otlp')).toBe('otlp');
    expect(Spelling.of(COLLECTOR_VERSION).typeOf(ComponentKind.RECEIVER, 'otlp')).toBe('otlp');
    expect(Spelling.of('0.140.0').typeOf(ComponentKind.EXPORTER, 'my_own')).toBe('my_own');
  });

  it('changes names and pipelines of a whole configuration together', () => {
    const old = everyComponent('0.140.1').renderConfig() as {
      exporters: object;
      service: { pipelines: { [id: string]: { exporters: string[] } } };
    };
    const defined = new Set([...Object.keys(old.exporters), 'spanmetrics', 'forward/sampled', 'count']);
    for (const pipeline of Object.values(old.service.pipelines)) {
      expect(pipeline.exporters.filter((id) => !defined.has(id))).toEqual([]);
    }
    expect(Object.keys(old.exporters)).toContain('otlp/jaeger');
  });
});

describe('fails', () => {
  it('on a version that is none, with the value and an example', () => {
    expect(() => Spelling.of('latest')).toThrow(/'latest' is not of the form 0.MINOR.PATCH.*'0.155.0'/);
    expect(() => Spelling.of('2.13.0')).toThrow(/2.13.0/);
  });

  it('on a batch processor where the Collector has none any more', () => {
    expect(() => everyComponent('0.171.0')).not.toThrow();
    expect(() => everyComponent('0.172.0')).toThrow(/0.172.0 has no 'batch' processor.*Queue.memory/);
  });
});

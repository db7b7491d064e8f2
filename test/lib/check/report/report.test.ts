import { describe, expect, it } from 'vitest';
import { type Finding, jsonReport, textReport } from '../../../../lib/check/index';

const finding: Finding = {
  rule: 'addresses-resolve',
  level: 'error',
  file: 'dist/gateway.yaml',
  line: 12,
  object: 'ConfigMap observability/gateway',
  path: 'data["config.yaml"].exporters.otlp_grpc.endpoint',
  problem: '"jaeger:4318" leads nowhere: Service observability/jaeger has no port 4318',
  remedy: 'use one of its ports: 4317 (grpc-otlp)',
};

describe('the reports', () => {
  it('text: place, object, problem and remedy, then the count', () => {
    expect(textReport([finding, { ...finding, level: 'warning' }])).toBe(`dist/gateway.yaml:12: error (addresses-resolve)
  ConfigMap observability/gateway: data["config.yaml"].exporters.otlp_grpc.endpoint
  "jaeger:4318" leads nowhere: Service observability/jaeger has no port 4318
  -> use one of its ports: 4317 (grpc-otlp)

dist/gateway.yaml:12: warning (addresses-resolve)
  ConfigMap observability/gateway: data["config.yaml"].exporters.otlp_grpc.endpoint
  "jaeger:4318" leads nowhere: Service observability/jaeger has no port 4318
  -> use one of its ports: 4317 (grpc-otlp)

1 error, 1 warning.
`);
  });

  it('text: says so when there is nothing', () => {
    expect(textReport([])).toBe('No findings.\n');
  });

  it('json: the findings as they are', () => {
    expect(JSON.parse(jsonReport([finding]))).toEqual({ findings: [finding] });
  });
});

import { describe, expect, it } from 'vitest';
import { load } from '../../../agent/config/load.ts';
import { MINIMAL } from '../support/config.ts';

const settingsOf = (...sets: string[]) =>
  load({ configs: [`yaml:${MINIMAL}`], sets: ['service.telemetry.metrics.level=none', ...sets], environment: {} }).settings;

describe('gzip_members', () => {
  it('is off by default', () => {
    expect(settingsOf().exporters.otlp_grpc).not.toHaveProperty('gzipMembers');
  });

  it('goes with gzip, which is the default of compression, over both transports', () => {
    expect(settingsOf('exporters.otlp_grpc.gzip_members=true').exporters.otlp_grpc).toMatchObject({
      compression: 'gzip',
      gzipMembers: true,
    });
    const { exporters } = settingsOf(
      'exporters.otlp_http={endpoint: "http://x:4318", gzip_members: true}',
      'service.pipelines.traces.exporters=[otlp_http]',
    );
    expect(exporters.otlp_http).toMatchObject({ compression: 'gzip', gzipMembers: true });
  });
});

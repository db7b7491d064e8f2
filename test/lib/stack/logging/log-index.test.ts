import { Duration, Size } from 'cdk8s';
import { LogIndex, type LogIndexProps } from 'otlp-stack';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../support/manifests.ts';

const phases = (props: LogIndexProps = {}): Manifest => (new LogIndex(props).policy() as Manifest).policy.phases;
const template = (props: LogIndexProps = {}): Manifest => new LogIndex(props).template();

describe('the lifecycle of the logs', () => {
  it('rolls over at 50 GB or after a day', () => {
    expect(phases().hot).toEqual({
      min_age: '0ms',
      actions: { rollover: { max_size: '50gb', max_age: '1d' }, set_priority: { priority: 100 } },
    });
  });

  it('is warm after 7 days, in one shard', () => {
    expect(phases().warm).toEqual({ min_age: '7d', actions: { shrink: { number_of_shards: 1 }, set_priority: { priority: 50 } } });
  });

  it('ends after 30 days', () => {
    expect(phases().delete).toEqual({ min_age: '30d', actions: { delete: {} } });
    expect(Object.keys(phases())).toEqual(['hot', 'warm', 'delete']);
  });

  it('takes other sizes and ages; ages that are no whole days in hours', () => {
    const other = phases({
      rolloverSize: Size.gibibytes(10),
      rolloverAge: Duration.hours(6),
      warmAfter: Duration.days(2),
      deleteAfter: Duration.days(90),
    });
    expect(other.hot.actions.rollover).toEqual({ max_size: '10gb', max_age: '6h' });
    expect([other.warm.min_age, other.delete.min_age]).toEqual(['2d', '90d']);
  });

  it.each([7, 8])('fails when logs would be gone before day %i, when they are shrunk', (warm) => {
    const props = { warmAfter: Duration.days(warm), deleteAfter: Duration.days(7) };
    expect(() => new LogIndex(props)).toThrow(`log index 'otlp-rust': 'warmAfter' (${warm}d) must be shorter than 'deleteAfter' (7d)`);
  });
});

describe('the template of the logs', () => {
  it('makes a data stream, so that the roll-over applies', () => {
    expect(template()).toMatchObject({ index_patterns: ['otlp-rust'], data_stream: {}, priority: 500 });
    expect(template().template.settings).toEqual({
      'index.lifecycle.name': 'otlp-rust',
      'index.number_of_shards': 3,
      'index.number_of_replicas': 1,
    });
  });

  it('carries another name into pattern and policy', () => {
    const named = template({ name: 'shop-logs', shards: 1, replicas: 0 });
    expect(named.index_patterns).toEqual(['shop-logs']);
    expect(named.template.settings).toEqual({
      'index.lifecycle.name': 'shop-logs',
      'index.number_of_shards': 1,
      'index.number_of_replicas': 0,
    });
  });

  it('knows the trace context in both spellings, and what the service logs', () => {
    const { properties } = template().template.mappings;
    expect(properties).toMatchObject({
      trace_id: { type: 'keyword' },
      span_id: { type: 'keyword' },
      trace: { properties: { id: { type: 'keyword' } } },
      span: { properties: { id: { type: 'keyword' } } },
      method: { type: 'keyword' },
      route: { type: 'keyword' },
      status: { type: 'short' },
      duration: { type: 'float' },
      cluster_name: { type: 'keyword' },
    });
    expect(properties['@timestamp']).toEqual({ type: 'date' });
  });

  it('holds open labels in one field', () => {
    expect(template().template.mappings.properties.kubernetes.properties.labels).toEqual({ type: 'flattened' });
  });
});

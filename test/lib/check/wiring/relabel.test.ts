import { describe, expect, it } from 'vitest';
import { relabel } from '../../../../lib/check/wiring/relabel';

const labels = { __address__: '10.0.0.1:8888', __meta_kubernetes_pod_label_app: 'web', __meta_kubernetes_pod_annotation_port: '9090' };

describe('relabel', () => {
  it('keeps and drops by an expression that must match all of the value', () => {
    const rule = (action: string, regex: string) =>
      relabel(labels, [{ source_labels: ['__meta_kubernetes_pod_label_app'], regex, action }]);
    expect(rule('keep', 'web')).toEqual(labels);
    expect(rule('keep', 'we')).toBeUndefined();
    expect(rule('drop', 'w.*')).toBeUndefined();
  });

  it('joins labels by the separator and replaces by groups, numbered and named', () => {
    const rule = {
      source_labels: ['__address__', '__meta_kubernetes_pod_annotation_port'],
      regex: '(?<host>[^:]+)(?::\\d+)?;(\\d+)',
      target_label: '__address__',
    };
    expect(relabel(labels, [{ ...rule, replacement: '$1:$2' }])?.__address__).toBe('10.0.0.1:9090');
    expect(relabel(labels, [{ ...rule, replacement: '${host}:80' }])?.__address__).toBe('10.0.0.1:80');
  });

  it('leaves a label alone where the expression does not match, and removes it where nothing is left', () => {
    expect(relabel(labels, [{ source_labels: ['__address__'], regex: 'x', target_label: '__address__', replacement: 'y' }])).toEqual(
      labels,
    );
    expect(relabel(labels, [{ target_label: '__address__', replacement: '' }])).not.toHaveProperty('__address__');
  });

  it('maps, drops and keeps labels by name', () => {
    expect(relabel(labels, [{ action: 'labelmap', regex: '__meta_kubernetes_pod_label_(.+)' }])).toHaveProperty('app', 'web');
    expect(Object.keys(relabel(labels, [{ action: 'labeldrop', regex: '__meta_.*' }]) ?? {})).toEqual(['__address__']);
    expect(Object.keys(relabel(labels, [{ action: 'labelkeep', regex: '__address__' }]) ?? {})).toEqual(['__address__']);
  });
});

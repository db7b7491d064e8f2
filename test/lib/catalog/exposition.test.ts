import { describe, expect, it } from 'vitest';
import { mergeFamilies, parseExposition } from '../../real/support/exposition.ts';

describe('parseExposition', () => {
  it('reads types, help and the union of labels', () => {
    const text = [
      '# HELP http_requests_total Requests\\nserved.',
      '# TYPE http_requests_total counter',
      'http_requests_total{method="GET",path="/a,b\\"}"} 3',
      'http_requests_total{status="200"} 4 1700000000000',
      '# TYPE up gauge',
      'up 1',
      'alone{x="y"} NaN',
    ].join('\n');
    expect(parseExposition(text)).toEqual([
      { name: 'alone', type: 'untyped', help: '', labels: ['x'] },
      { name: 'http_requests_total', type: 'counter', help: 'Requests served.', labels: ['method', 'path', 'status'] },
      { name: 'up', type: 'gauge', help: '', labels: [] },
    ]);
  });

  it('counts the series of a histogram and a summary to their family', () => {
    const text = [
      '# TYPE d histogram',
      'd_bucket{route="/",le="+Inf"} 1',
      'd_sum{route="/"} 1',
      'd_count{route="/"} 1',
      '# TYPE s summary',
      's{quantile="0.5"} 1',
      's_sum 1',
      's_count 1',
    ].join('\n');
    expect(parseExposition(text).map(({ name, type, labels }) => [name, type, labels])).toEqual([
      ['d', 'histogram', ['route']],
      ['s', 'summary', []],
    ]);
  });

  it('leaves out a family that has no series', () => {
    expect(parseExposition('# TYPE lonely counter\n')).toEqual([]);
  });

  it('fails on what is no exposition', () => {
    expect(() => parseExposition('<html>')).toThrow('not a line of the Prometheus text format: <html>');
  });

  it('joins the labels of several scrapes', () => {
    const merged = mergeFamilies(parseExposition('a{x="1"} 1'), parseExposition('a{y="1"} 1\nb 1'));
    expect(merged.map(({ name, labels }) => [name, labels])).toEqual([
      ['a', ['x', 'y']],
      ['b', []],
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { CONTEXTS_OF } from '../../../agent/ottl/contexts/contexts.ts';
import { OttlError } from '../../../agent/ottl/errors.ts';
import { statementFunctions } from '../../../agent/ottl/functions/functions.ts';
import { collectNames, inferContext } from '../../../agent/ottl/infer.ts';
import { NameCollector } from '../../../agent/ottl/visit.ts';
import { mistakeIn } from './support.ts';

describe('paths of OTTL', () => {
  it('a name that a context has not is told with those that it has', () => {
    expect(mistakeIn('set(nme, "a")')).toBe(
      'column 5: span has no "nme"; it has trace_id, span_id, parent_span_id, trace_state, name, kind, start_time_unix_nano, end_time_unix_nano, start_time, end_time, attributes, dropped_attributes_count, events, dropped_events_count, links, dropped_links_count, status, flags',
    );
    expect(mistakeIn('set(status.text, "a")')).toBe('column 12: status has no "text"; it has code, message');
    expect(mistakeIn('set(resource.name, "a")')).toBe(
      'column 14: resource has no "name"; it has attributes, dropped_attributes_count, schema_url',
    );
    expect(mistakeIn('set(constructor, 1)')).toMatch(/^column 5: span has no "constructor"/);
    expect(mistakeIn('set(kind, __proto__)')).toMatch(/^column 11: /);
  });

  it('more of a path than there is, and keys where nothing can be indexed, are errors', () => {
    expect(mistakeIn('set(name.first, "a")')).toBe('column 10: nothing is called "first" here: the path ends before');
    expect(mistakeIn('set(name["a"], "a")')).toBe('column 5: "name" cannot be indexed');
    expect(mistakeIn('set(trace_state["a"]["b"], "c")')).toBe('column 5: trace_state takes exactly one key');
    expect(mistakeIn('set(resource, "a")', 'span', 'plain')).toBe('column 5: "resource" is no value; name one of its fields');
    expect(mistakeIn('set(resource.cache["a"], "b")')).toBe('column 14: cache is only there in its own context: span.cache');
  });

  it('a path names its context as its group wants it', () => {
    expect(mistakeIn('set(span.name, "a")', 'span', 'named')).toBeUndefined();
    expect(mistakeIn('set(name, "a")', 'span', 'named')).toBe(
      'column 5: the path name has to begin with its context, one of span, resource, otelcol, scope, instrumentation_scope',
    );
    expect(mistakeIn('set(name, span.name)')).toBeUndefined();
    expect(mistakeIn('set(attributes["a"], resource.attributes["b"])', 'span', 'plain')).toBeUndefined();
  });

  it('an enum symbol belongs to its context', () => {
    expect(mistakeIn('set(kind, SPAN_KIND_SERVR)')).toMatch(
      /^column 11: unknown enum symbol SPAN_KIND_SERVR; span knows SPAN_KIND_UNSPECIFIED, /,
    );
    expect(mistakeIn('set(attributes["a"], SPAN_KIND_SERVER)', 'resource')).toMatch(/the context resource has none$/);
  });
});

describe('the context of statements that do not name it', () => {
  const infer = (signal: keyof typeof CONTEXTS_OF, ...statements: string[]): string => {
    const names = new NameCollector();
    for (const text of statements) collectNames({ kind: 'statement', text, place: [] }, names);
    try {
      return inferContext(names, CONTEXTS_OF[signal], statementFunctions);
    } catch (error) {
      if (error instanceof OttlError) return error.message;
      throw error;
    }
  };

  it.each([
    ['the most particular path', 'traces', ['set(resource.attributes["a"], 1)', 'set(span.name, "b")'], 'span'],
    ['also one behind where and in brackets', 'traces', ['set(span.attributes[spanevent.name], 1)'], 'spanevent'],
    ['data points before metrics', 'metrics', ['set(metric.name, "a") where datapoint.flags == 1'], 'datapoint'],
    ['one that knows the function', 'traces', ['set(resource.attributes["a"], 1) where IsRootSpan()'], 'span'],
    ['one that knows the enum symbol, the most particular one', 'traces', ['set(resource.attributes["a"], SPAN_KIND_SERVER)'], 'spanevent'],
    [
      'no other one where the path forbids it',
      'traces',
      ['set(spanevent.name, "a") where IsRootSpan()'],
      'this is about a spanevent, which knows no function IsRootSpan',
    ],
    [
      'none without a path that names one',
      'logs',
      ['set(body, "a")'],
      'no path says what this is about; begin paths with one of resource, scope, log, as in log.attributes["key"]',
    ],
    [
      'none of another signal',
      'logs',
      ['set(span.name, "a")'],
      'nothing can be about "span" here; begin paths with one of resource, scope, log',
    ],
  ] as const)('is %s', (_, signal, statements, context) => {
    expect(infer(signal, ...statements)).toBe(context);
  });
});

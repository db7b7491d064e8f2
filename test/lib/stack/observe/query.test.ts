import { Duration } from 'cdk8s';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Join, Match, Metric, MetricType, Program, Query, QueryDialect, Window } from '../../../../lib/stack/observe/index';
import { parsePromql } from './promql';

const gauge = (name: string, labels: string[] = []): Metric =>
  new Metric({ name, type: MetricType.GAUGE, labels, help: name, program: Program.RULES });
const a = gauge('a', ['pod', 'zone']);
const b = gauge('b', ['pod']);

describe('a query', () => {
  it('selects with every kind of condition, and escapes values', () => {
    const query = a.where(Match.equal('pod', 'x"y\\z'), Match.notEqual('zone', ''), Match.notMatches('zone', 'z.*'));
    expect(query.print()).toBe('a{pod="x\\"y\\\\z", zone!="", zone!~"z.*"}');
    expect(parsePromql(query.print()).errors).toEqual([]);
  });

  it('prints durations in the largest whole unit', () => {
    const rates = [Duration.days(30), Duration.hours(36), Duration.minutes(90), Duration.seconds(30), Duration.millis(1500)].map((length) =>
      a.where().over(Window.of(length)).rate().print(),
    );
    expect(rates).toEqual(['rate(a[30d])', 'rate(a[36h])', 'rate(a[90m])', 'rate(a[30s])', 'rate(a[1500ms])']);
  });

  it('uses variables in Grafana and what they stand for elsewhere', () => {
    const query = a.where(Match.variable('pod')).over(Window.RATE_INTERVAL).rate().sumBy('pod');
    expect(query.print(QueryDialect.GRAFANA)).toBe('sum by (pod) (rate(a{pod=~"$pod"}[$__rate_interval]))');
    expect(query.print()).toBe('sum by (pod) (rate(a{pod=~".+"}[5m]))');
  });

  it('looks back over the result of another query, too', () => {
    const query = a
      .where()
      .plus(Query.scalar(1))
      .over(Window.of(Duration.hours(1)))
      .maxOverTime();
    expect(query.print()).toBe('max_over_time((a + 1)[1h:])');
    expect(parsePromql(query.print()).errors).toEqual([]);
  });

  it('joins one to many', () => {
    const query = a.where().times(b.where(), Join.on('pod').groupLeft());
    expect(query.print()).toBe('a * on (pod) group_left () b');
    expect(query.labels).toEqual(['pod', 'zone']);
    expect(parsePromql(query.print()).errors).toEqual([]);
    expect(b.where().times(a.where(), Join.ignoring('zone').groupRight('zone')).print()).toBe('b * ignoring (zone) group_right (zone) a');
  });

  it('knows the labels of its result', () => {
    expect(a.where().sumBy('zone').labels).toEqual(['zone']);
    expect(a.where().sumBy().print()).toBe('sum(a)');
    expect(a.where().dividedBy(b.where(), Join.on('pod')).labels).toEqual(['pod']);
    expect(a.where().withLabel('signal', 'spans').labels).toEqual(['pod', 'zone', 'signal']);
    expect(a.where(Match.equal('pod', 'x'), Match.matches('zone', 'y')).absent().labels).toEqual(['pod']);
    expect(a.where().or(b.where()).labels).toEqual(['pod']);
  });

  it('fails to aggregate by a label that nobody sets, naming those that exist', () => {
    expect(() => a.where().sumBy('status')).toThrow("sum by 'status': a has only 'pod', 'zone'");
    expect(() => a.where().histogramQuantile(0.95)).toThrow("histogram_quantile 'le'");
  });

  it('fails to pair different label sets without a join', () => {
    expect(() => a.where().dividedBy(b.where())).toThrow("a / b: the sides differ in 'zone' and would never match: pass Join.on");
    expect(() => a.where().dividedBy(b.where(), Join.on('zone'))).toThrow("join on label 'zone': the right side has only 'pod'");
  });

  it('fails to select by a label that the metric does not have', () => {
    expect(() => b.where(Match.equal('status', '500'))).toThrow("metric 'b' has no label 'status'");
    expect(() => Match.equal('a-b', '')).toThrow("label 'a-b'");
  });
});

type Tree = { readonly name: string } | { readonly operator: string; readonly left: Tree; readonly right: Tree };

const OPERATIONS: { readonly [name: string]: (left: Query, right: Query) => Query } = {
  Add: (left, right) => left.plus(right),
  Sub: (left, right) => left.minus(right),
  Mul: (left, right) => left.times(right),
  Div: (left, right) => left.dividedBy(right),
  And: (left, right) => left.and(right),
  Unless: (left, right) => left.unless(right),
  Or: (left, right) => left.or(right),
};

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom('x', 'y', 'z').map((name) => ({ name })),
    fc.record({ operator: fc.constantFrom(...Object.keys(OPERATIONS)), left: tie('tree'), right: tie('tree') }),
  ),
}));

function build(node: Tree): Query {
  return 'name' in node
    ? gauge(node.name).where()
    : (OPERATIONS[node.operator] as (l: Query, r: Query) => Query)(build(node.left), build(node.right));
}

function shape(node: Tree): string {
  return 'name' in node ? node.name : `(${shape(node.left)} ${node.operator} ${shape(node.right)})`;
}

describe('printing and parsing again', () => {
  it("gives the same tree by Prometheus' own grammar, whatever is nested in whatever", () => {
    fc.assert(
      fc.property(tree, (node) => {
        const parsed = parsePromql(build(node).print());
        expect(parsed.errors).toEqual([]);
        expect(parsed.shape).toBe(shape(node));
      }),
    );
  });

  it('keeps every label value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const printed = b.where(Match.equal('pod', value)).print();
        expect(parsePromql(printed).errors).toEqual([]);
        expect(JSON.parse(printed.slice('b{pod='.length, -1))).toBe(value);
      }),
    );
  });
});

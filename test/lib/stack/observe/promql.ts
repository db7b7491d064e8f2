import { parser } from '@prometheus-io/lezer-promql';

/** What Prometheus' own grammar makes of an expression. */
export interface Parsed {
  /** Source text of every part that the grammar does not know. */
  readonly errors: string[];
  /** Names of the metrics that are selected. */
  readonly metrics: string[];
  /** The tree in one line, node names only, without what merely groups. */
  readonly shape: string;
}

const OPERATORS = new Set(['Add', 'Sub', 'Mul', 'Div', 'And', 'Or', 'Unless', 'Gtr']);

export function parsePromql(expression: string): Parsed {
  const errors: string[] = [];
  const metrics: string[] = [];
  const tree = parser.parse(expression);
  tree.iterate({
    enter: (node) => {
      const text = expression.slice(node.from, node.to);
      if (node.type.isError) {
        errors.push(`${node.from}: ${text}`);
      }
      if (node.name === 'VectorSelector') {
        metrics.push(text.replace(/\{.*/s, ''));
      }
    },
  });
  return { errors, metrics, shape: shape(tree.topNode.firstChild, expression) };
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** `(a Add (b Mul c))`: which operand belongs to which operator. */
function shape(node: Node | null, text: string): string {
  if (node === null) {
    return '';
  }
  if (node.name === 'ParenExpr') {
    return shape(node.firstChild, text);
  }
  if (node.name === 'BinaryExpr') {
    const parts: string[] = [];
    for (let child = node.firstChild; child; child = child.nextSibling) {
      if (child.name !== 'MatchingModifierClause') {
        parts.push(OPERATORS.has(child.name) ? child.name : shape(child, text));
      }
    }
    return `(${parts.join(' ')})`;
  }
  return text.slice(node.from, node.to);
}

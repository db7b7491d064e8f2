/** docs/explanation/topology.svg and topology.md: the reference stack as its own model draws it. */

import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { App } from 'cdk8s';
import { Drawing, OtlpStack, Topology } from 'otlp-stack';

export async function generate() {
  const app = new App();
  new OtlpStack(app, 'otlp');
  const drawing = Drawing.of(Topology.of(app));
  const graphviz = await Graphviz.load();
  return {
    'docs/explanation/topology.svg': `${graphviz.dot(drawing.toDot())}\n`,
    'docs/explanation/topology.md': [
      '# Who talks to whom',
      '',
      'Written by `npm run docs` from the model of the reference stack: every arrow is a connection that both NetworkPolicies admit,',
      'and nothing else is admitted. The same as a picture: [topology.svg](topology.svg); for a stack of your own: `otlp-stack graph`.',
      '',
      '```mermaid',
      drawing.toMermaid().trimEnd(),
      '```',
      '',
    ].join('\n'),
  };
}

import { writeFileSync } from 'node:fs';
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { App } from 'cdk8s';
import { Command, Option } from 'commander';
import { Drawing, Endpoint, OtlpStack, Profile, Topology } from 'otlp-stack';

/** `otlp-stack graph`: who connects to whom in the reference stack. */
export function graphCommand(): Command {
  return new Command('graph')
    .description('draw the reference stack: every component and every connection that its policies allow')
    .addOption(new Option('--format <format>', 'of the drawing').choices(['svg', 'mermaid', 'dot']).default('svg'))
    .addOption(new Option('--profile <profile>', 'of the stack').choices(['production', 'development']).default('production'))
    .option('-o, --output <file>', 'instead of standard output')
    .option('--json', 'components and edges as JSON')
    .action(async (options: { format: string; profile: string; output?: string; json?: boolean }) => {
      const app = new App();
      new OtlpStack(app, 'otlp', { profile: options.profile === 'development' ? Profile.DEVELOPMENT : Profile.PRODUCTION });
      const topology = Topology.of(app);
      const text = options.json ? `${JSON.stringify(describe(topology), null, 2)}\n` : await draw(topology, options.format);
      if (options.output) {
        writeFileSync(options.output, text);
      } else {
        process.stdout.write(text);
      }
    });
}

/** The drawing in one of the formats of `--format`. */
export async function draw(topology: Topology, format: string): Promise<string> {
  const drawing = Drawing.of(topology);
  if (format === 'mermaid') {
    return drawing.toMermaid();
  }
  return format === 'dot' ? drawing.toDot() : `${(await Graphviz.load()).dot(drawing.toDot()).trimEnd()}\n`;
}

function describe(topology: Topology): object {
  return {
    components: topology.components.map(({ name, namespace, role }) => ({ name, namespace, role })),
    edges: topology.edges.map(({ from, to, purpose }) => ({
      from: from.peerName,
      to: to instanceof Endpoint ? to.component.name : to.host,
      endpoint: to.name,
      protocol: to.protocol.name,
      purpose,
    })),
  };
}

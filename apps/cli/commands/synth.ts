import { rmSync } from 'node:fs';
import { App } from 'cdk8s';
import { Command, Option } from 'commander';
import { OtlpStack, Profile } from 'otlp-stack';
import { objectTable, printedObjects } from '../manifests/table.ts';

/** `otlp-stack synth`: the reference stack without a program of one's own. */
export function synthCommand(): Command {
  return new Command('synth')
    .description('print the reference stack')
    .option('-o, --output <folder>', 'where the files go; what is in it is replaced', 'dist')
    .addOption(new Option('--profile <profile>', 'how large').choices(['production', 'development']).default('production'))
    .option('--cluster-name <name>', 'k8s.cluster.name of all telemetry', 'default')
    .option('--json', 'print what was printed as JSON')
    .action((options: { output: string; profile: string; clusterName: string; json?: boolean }) => {
      printReference(options.output, options.profile === 'development' ? Profile.DEVELOPMENT : Profile.PRODUCTION, options.clusterName);
      const objects = printedObjects(options.output);
      process.stdout.write(
        options.json ? `${JSON.stringify({ output: options.output, objects }, null, 2)}\n` : objectTable(options.output, objects),
      );
    });
}

/** Prints into an empty `output`; throws what the constructs throw. */
export function printReference(output: string, profile: Profile, clusterName: string): void {
  rmSync(output, { recursive: true, force: true });
  const app = new App({ outdir: output });
  new OtlpStack(app, 'otlp', { profile, clusterName });
  app.synth();
}

import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'cdk8s';
import { Command, Option } from 'commander';
import { OtlpStack, Profile } from 'otlp-stack';
import { InputError } from '../errors.ts';
import { objectTable, printedObjects } from '../manifests/table.ts';

/** `otlp-stack synth`: the reference stack without a program of one's own. */
export function synthCommand(): Command {
  return new Command('synth')
    .description('print the reference stack')
    .option('-o, --output <folder>', 'where the files go; manifests of an earlier run (*.k8s.yaml) are removed first', 'dist')
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

/** What cdk8s names the files that it writes. */
const PRINTED = '.k8s.yaml';

/**
 * Prints into `output`, from which manifests of an earlier run are removed and nothing else; throws what the constructs throw.
 *
 * @throws InputError where `output` is a file
 */
export function printReference(output: string, profile: Profile, clusterName: string): void {
  if (existsSync(output)) {
    if (!statSync(output).isDirectory()) {
      throw new InputError(`${output}: is a file, and the manifests need a folder. Give another name with --output.`);
    }
    for (const file of readdirSync(output).filter((name) => name.endsWith(PRINTED))) {
      rmSync(join(output, file));
    }
  }
  const app = new App({ outdir: output });
  new OtlpStack(app, 'otlp', { profile, clusterName });
  app.synth();
}

import { Command } from 'commander';
import { readSnapshot } from 'otlp-stack-check';
import { stringify } from 'yaml';
import { secretReferences } from '../manifests/secret-references.ts';
import { secretManifests } from '../manifests/secret-values.ts';

/** `otlp-stack secrets dist/`: the Secrets that pods name and nobody prints. */
export function secretsCommand(): Command {
  return new Command('secrets')
    .description(
      'print the Secrets that the manifests name but do not hold, with random values: otlp-stack secrets dist/ | kubectl apply -f -',
    )
    .argument('<folder...>', 'rendered manifests')
    .option('--json', 'as a JSON List instead of YAML documents')
    .addHelpText(
      'after',
      `
Passwords are 192 random bits; keys named ca.crt, tls.crt and tls.key get a certificate of a CA of their own, valid for one year.
Each run makes new values: apply the output once, or keep it in a secret store. A Secret that comes from elsewhere is left out
when the workload that names it carries the annotation otlp-stack.dev/external: NAME[,NAME].`,
    )
    .action(async (folders: string[], options: { json?: boolean }) => {
      const references = secretReferences(readSnapshot(folders));
      const missing = references.filter(({ state }) => state === 'missing');
      const manifests = await secretManifests(missing);
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, null, 2)}\n`);
      } else {
        process.stdout.write(manifests.map((manifest) => stringify(manifest)).join('---\n'));
      }
      process.stderr.write(`${manifests.length} Secrets printed, ${references.length - missing.length} exist or come from elsewhere\n`);
    });
}

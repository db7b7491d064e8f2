import { Command } from 'commander';
import { readSnapshot } from 'otlp-stack-check';
import { stringify } from 'yaml';
import { type SecretReference, secretReferences } from '../manifests/secret-references.ts';
import { isAddress, PLACEHOLDER_URL, secretManifests } from '../manifests/secret-values.ts';

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
The namespaces that the Secrets are in come first, as the manifests declare them, so that this can be applied to an empty cluster.
Passwords are 192 random bits; keys named ca.crt, tls.crt and tls.key get a certificate of a CA of their own, valid for one year; keys
that end in user get admin, and those that end in url ${PLACEHOLDER_URL}, which is yours to replace.
Each run makes new values: apply the output once, or keep it in a secret store. A Secret that comes from elsewhere is left out
when the workload that names it carries the annotation otlp-stack.dev/external: NAME[,NAME].`,
    )
    .action(async (folders: string[], options: { json?: boolean }) => {
      const snapshot = readSnapshot(folders);
      const references = secretReferences(snapshot);
      const missing = references.filter(({ state }) => state === 'missing');
      const known = missing.filter(({ keys }) => keys.length > 0);
      const secrets = await secretManifests(known);
      const needed = new Set(known.map(({ namespace }) => namespace));
      const namespaces = snapshot.objects
        .filter(({ kind, name }) => kind === 'Namespace' && needed.has(name))
        .map(({ manifest }) => manifest);
      const items = [...namespaces, ...secrets];
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`);
      } else {
        process.stdout.write(items.map((manifest) => stringify(manifest)).join('---\n'));
      }
      process.stderr.write(`${secrets.length} Secrets printed, ${references.length - missing.length} exist or come from elsewhere\n`);
      for (const note of missing.flatMap(notes)) {
        process.stderr.write(`${note}\n`);
      }
    });
}

/** What this command cannot know. */
function notes({ namespace, name, keys, usedBy }: SecretReference): string[] {
  const secret = `${namespace}/${name}`;
  if (keys.length === 0) {
    return [`${secret}: not printed, as ${usedBy.join(', ')} takes it as a whole and its keys are not in the manifests; make it yourself`];
  }
  return keys.filter(isAddress).map((key) => `${secret}: ${key} is ${PLACEHOLDER_URL} until you replace it`);
}

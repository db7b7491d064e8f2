import { Command } from 'commander';
import { readSnapshot } from 'otlp-stack-check';
import { type Requirements, requirementsOf } from '../manifests/requirements.ts';

/** `otlp-stack requirements dist/`: what must be there before `kubectl apply`. */
export function requirementsCommand(): Command {
  return new Command('requirements')
    .description('list what the manifests need: CRDs and operators, Secrets, images to be built, the Kubernetes version')
    .argument('<folder...>', 'rendered manifests')
    .option('--json', 'as JSON')
    .action((folders: string[], options: { json?: boolean }) => {
      const requirements = requirementsOf(readSnapshot(folders));
      process.stdout.write(options.json ? `${JSON.stringify(requirements, null, 2)}\n` : text(requirements));
    });
}

function text(requirements: Requirements): string {
  const section = (title: string, lines: string[]): string =>
    `${title}\n${(lines.length > 0 ? lines : ['none']).map((line) => `  ${line}\n`).join('')}`;
  return [
    section('Kubernetes', [`${requirements.kubernetes} or later: ${requirements.kubernetesReason}`]),
    section(
      'Operators and their CRDs',
      requirements.crds.map(({ kind, group, provider, usedBy }) => `${kind}.${group}: ${provider} (${usedBy.join(', ')})`),
    ),
    section(
      'Secrets',
      requirements.secrets.map(
        ({ namespace, name, keys, state }) => `${namespace}/${name} [${keys.length > 0 ? keys.join(', ') : 'as a whole'}]: ${state}`,
      ),
    ),
    section(
      'Images to be built and pushed',
      requirements.images.filter(({ own }) => own).map(({ image }) => image),
    ),
    section(
      'Images pulled',
      requirements.images.filter(({ own }) => !own).map(({ image }) => image),
    ),
    section(
      'Storage',
      requirements.volumeClaims.map(({ workload, name, size, replicas }) => `${workload}: ${name}, ${size} for each of ${replicas}`),
    ),
  ].join('\n');
}

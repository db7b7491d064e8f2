import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A Go module that carries the CustomResourceDefinitions of a declared prerequisite. */
export interface CrdModule {
  /** What the closed schemas of it are called: test/schemas/<name>-<version>.json. */
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** The module's checksum, as go.sum writes it: a module that changed is refused. */
  readonly sum: string;
  /** The folder with the YAML, inside the module. */
  readonly folder: string;
  /** The files of that folder to take: only kinds that the stack prints. */
  readonly files: readonly string[];
}

export const CRD_MODULES: readonly CrdModule[] = [
  {
    name: 'keda',
    module: 'github.com/kedacore/keda/v2',
    version: 'v2.21.0',
    sum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=',
    folder: 'config/crd/bases',
    files: ['keda.sh_scaledobjects.yaml', 'keda.sh_triggerauthentications.yaml'],
  },
  {
    // The newest version of this module that the public proxy holds; its API group has been v1 since 2018.
    name: 'prometheus-operator',
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    sum: 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=',
    folder: 'example/prometheus-operator-crd',
    files: [
      'monitoring.coreos.com_servicemonitors.yaml',
      'monitoring.coreos.com_podmonitors.yaml',
      'monitoring.coreos.com_prometheusrules.yaml',
    ],
  },
];

/**
 * The YAML of one module's CRDs, by file name. Go's own module cache keeps them, Go's checksum database vouches for them.
 *
 * @throws where Go is missing, the module cannot be had, or its checksum is not the pinned one
 */
export function fetchCrds(source: CrdModule): Map<string, string> {
  const folder = join(moduleFolder(source), source.folder);
  const known = new Set(readdirSync(folder));
  const missing = source.files.filter((file) => !known.has(file));
  if (missing.length > 0) throw new Error(`${source.module}@${source.version} lacks ${missing.join(', ')} in ${source.folder}`);
  return new Map(source.files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

function moduleFolder({ module, version, sum }: CrdModule): string {
  const go = goCommand();
  if (go === undefined) throw new Error('Go is not installed: the CRDs come from pinned Go modules');
  const scratch = mkdtempSync(join(tmpdir(), 'otlp-stack-crds-'));
  try {
    // `go mod download` asks for a module around it; an empty one is enough, and nothing is compiled.
    writeFileSync(join(scratch, 'go.mod'), 'module scratch\n');
    const output = execFileSync(go, ['mod', 'download', '-json', `${module}@${version}`], { cwd: scratch, encoding: 'utf8' });
    const answer = JSON.parse(output) as { Dir: string; Sum: string };
    if (answer.Sum !== sum) throw new Error(`${module}@${version} has checksum ${answer.Sum}, pinned is ${sum}`);
    return answer.Dir;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The Go command: from PATH, or the place where its installer puts it; undefined where there is none. */
export function goCommand(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/go/bin'];
  return folders.map((folder) => join(folder, 'go')).find((path) => existsSync(path));
}

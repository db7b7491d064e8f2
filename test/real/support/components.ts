import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The programs of the real lane, by the name of their file in the cache (test/real/components/build makes them). */
export type RealProgram =
  | 'otelcol'
  | 'otelcol-0.160'
  | 'telemetrygen'
  | 'prometheus'
  | 'promtool'
  | 'alertmanager'
  | 'amtool'
  | 'jaeger'
  | 'kube-apiserver'
  | 'etcd'
  | 'kubectl'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kwok'
  | 'kube-state-metrics'
  | 'opensearch'
  | 'python-grpc'
  | 'h2spec'
  | 'grpc-go'
  | 'java-grpc';

/** Either the path of a program that can be started, or the words that say why it cannot. */
export type RealComponent =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string };

/** Which `build NAME` makes a program that is not a component of its own. */
const MADE_BY: Partial<Record<RealProgram, string>> = {
  promtool: 'prometheus',
  amtool: 'alertmanager',
  'kube-apiserver': 'kubernetes',
  etcd: 'kubernetes',
  kubectl: 'kubernetes',
  'kube-controller-manager': 'controllers',
  'kube-scheduler': 'controllers',
  kwok: 'controllers',
};

/** The folder outside of the tree that holds the built programs. */
export function realCache(): string {
  return process.env.OTLP_REAL_CACHE ?? join(homedir(), '.cache', 'otlp-stack-real');
}

/** Looks for one program; never builds. */
export function realComponent(program: RealProgram): RealComponent {
  const path = join(realCache(), 'bin', program);
  try {
    accessSync(path, constants.X_OK);
  } catch {
    const component = MADE_BY[program] ?? program;
    const broken = existsSync(join(realCache(), 'failed', component));
    const why = broken ? `its last build failed (see \`failed/${component}\` in the cache)` : 'it is not built';
    return { missing: `${program}: ${why}; build it with \`test/real/components/build ${component}\`` };
  }
  if ((program === 'opensearch' || program === 'java-grpc') && !onPath('java')) return { missing: `${program}: 'java' is not on PATH` };
  return { path };
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** The path of a program that the caller knows to be there (inside `describeReal`). Throws the skip reason otherwise. */
export function realPath(program: RealProgram): string {
  const found = realComponent(program);
  if (found.missing !== undefined) throw new Error(found.missing);
  return found.path;
}

import { realPath } from './components.ts';
import { writeConfig } from './config-file.ts';
import { newFolder, type ProgramResult, type RunningProcess, runProgram, startProcess } from './process.ts';

/** The line that the Collector, and Jaeger v2 as it is one, writes when every component has started. */
export const EVERYTHING_IS_READY = /Everything is ready\. Begin running and processing data\./;

export interface OtelcolOptions {
  /** The configuration, parsed (written as YAML) or as text. Several are merged by the Collector itself. */
  readonly config: object | string | readonly (object | string)[];
  /** What `${env:NAME}` in it means. @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** @default 'otelcol' (0.155.0) */
  readonly program?: 'otelcol' | 'otelcol-0.160';
  /** More arguments, such as `--feature-gates=...`. @default none */
  readonly args?: readonly string[];
  /** Names the log. @default the program's name */
  readonly name?: string;
}

/** Starts a real Collector and waits until all of its components run. */
export async function startOtelcol(options: OtelcolOptions): Promise<RunningProcess> {
  const program = options.program ?? 'otelcol';
  const folder = newFolder(options.name ?? program);
  return await startProcess({
    bin: realPath(program),
    args: [...configArguments(folder, options.config), ...(options.args ?? [])],
    env: options.env,
    name: options.name ?? program,
    cwd: folder,
    ready: { log: EVERYTHING_IS_READY },
  });
}

/** `otelcol validate`: code 0 when it accepts the configuration; it builds the pipelines but binds no port. */
export async function validateOtelcol(options: OtelcolOptions): Promise<ProgramResult> {
  const program = options.program ?? 'otelcol';
  const folder = newFolder(`${program}-validate`);
  const args = ['validate', ...configArguments(folder, options.config), ...(options.args ?? [])];
  return await runProgram(realPath(program), args, { cwd: folder, env: options.env });
}

function configArguments(folder: string, config: OtelcolOptions['config']): string[] {
  const all = Array.isArray(config) ? (config as readonly (object | string)[]) : [config as object | string];
  return all.map((each, index) => `--config=${writeConfig(folder, index === 0 ? 'config.yaml' : `config-${index}.yaml`, each)}`);
}

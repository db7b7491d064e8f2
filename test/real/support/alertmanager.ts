import { realPath } from './components.ts';
import { writeConfig } from './config-file.ts';
import { freePort } from './ports.ts';
import { newFolder, type ProgramResult, type RunningProcess, runProgram, startProcess } from './process.ts';

export interface AlertmanagerOptions {
  /** alertmanager.yml, parsed or as text. */
  readonly config: object | string;
  /** Other files by their path below its folder, such as templates and secrets. @default none */
  readonly files?: { readonly [path: string]: object | string };
  /** More arguments. @default none */
  readonly args?: readonly string[];
  /** @default a free one */
  readonly port?: number;
}

export interface AlertmanagerAlert {
  readonly labels: { readonly [label: string]: string };
  readonly receivers: readonly { readonly name: string }[];
  readonly status: { readonly state: string };
}

/** A real Alertmanager and its HTTP API. */
export class AlertmanagerServer {
  readonly process: RunningProcess;
  readonly port: number;
  readonly url: string;

  constructor(process: RunningProcess, port: number) {
    this.process = process;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  async alerts(): Promise<AlertmanagerAlert[]> {
    const response = await fetch(`${this.url}/api/v2/alerts`, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as AlertmanagerAlert[];
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts a real Alertmanager alone (no cluster) on a free port of 127.0.0.1. */
export async function startAlertmanager(options: AlertmanagerOptions): Promise<AlertmanagerServer> {
  const port = options.port ?? (await freePort());
  const folder = newFolder('alertmanager');
  for (const [path, content] of Object.entries(options.files ?? {})) writeConfig(folder, path, content);
  const process = await startProcess({
    bin: realPath('alertmanager'),
    args: [
      `--config.file=${writeConfig(folder, 'alertmanager.yml', options.config)}`,
      '--storage.path=data',
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      ...(options.args ?? []),
    ],
    cwd: folder,
    ready: { url: `http://127.0.0.1:${port}/-/ready` },
  });
  return new AlertmanagerServer(process, port);
}

/** Runs amtool in a folder that holds the files: `amtool({ 'alertmanager.yml': {...} }, 'check-config', 'alertmanager.yml')`. */
export async function amtool(files: { readonly [path: string]: object | string }, ...args: string[]): Promise<ProgramResult> {
  const folder = newFolder('amtool');
  for (const [path, content] of Object.entries(files)) writeConfig(folder, path, content);
  return await runProgram(realPath('amtool'), args, { cwd: folder });
}

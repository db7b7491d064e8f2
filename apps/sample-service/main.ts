/** Arguments, signals and exit codes. 0: stopped as asked; 1: could not start or run; 2: wrong arguments or configuration. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadSettings } from './config/load.ts';
import { ConfigError } from './config/problems.ts';
import type { Settings } from './config/settings.ts';
import { DEFAULT_CONFIG_FILE } from './config.ts';
import { createService } from './service.ts';

const NAME = 'otlp-sample-service';
const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const HELP = `${NAME} [--config FILE]

A small shop over HTTP, instrumented with the OpenTelemetry SDK: the reference application of otlp-stack.

  -c, --config FILE   production.yaml (else OTLP_CONFIG_FILE, else ${DEFAULT_CONFIG_FILE} if it exists)
  -h, --help          this text
      --version       the version

Every key of the file can be given as OTLP__SECTION__KEY, for instance OTLP__SERVICE__PORT=9000.
The standard OTEL_* variables win over both. Exit codes: 0 stopped by a signal, 1 failed, 2 wrong arguments or configuration.
`;

await main();

async function main(): Promise<void> {
  const args = readArguments();
  const version = packageVersion();
  if (args.help) return finish(process.stdout, HELP, EXIT_OK);
  if (args.version) return finish(process.stdout, `${version}\n`, EXIT_OK);
  const settings = readSettings(args.config, version);
  const service = createService(settings, version);
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // The second signal is someone who does not want to wait.
      if (stopping) process.exit(EXIT_FAILED);
      stopping = true;
      void service.drain().then(() => process.exit(EXIT_OK));
    });
  }
  try {
    await service.start();
  } catch (error) {
    finish(process.stderr, `${NAME}: ${startProblem(error as NodeJS.ErrnoException, settings)}\n`, EXIT_FAILED);
  }
}

function readArguments(): { config?: string | undefined; help?: boolean | undefined; version?: boolean | undefined } {
  try {
    const options = {
      config: { type: 'string', short: 'c' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    } as const;
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    return finish(process.stderr, `${NAME}: ${(error as Error).message.split('. ')[0]}; see ${NAME} --help\n`, EXIT_USAGE);
  }
}

function readSettings(path: string | undefined, version: string): Settings {
  try {
    return loadSettings({ path, env: process.env, version });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return finish(process.stderr, error.problems.map((problem) => `${NAME}: ${problem}\n`).join(''), EXIT_USAGE);
  }
}

function startProblem(error: NodeJS.ErrnoException, settings: Settings): string {
  const place = `service.port ${settings.port}, from ${settings.portSource}`;
  if (error.code === 'EADDRINUSE') return `port ${settings.port} is in use (${place}); choose another one with OTLP__SERVICE__PORT`;
  if (error.code === 'EACCES')
    return `port ${settings.port} may not be opened by this user (${place}); choose one above 1023 with OTLP__SERVICE__PORT`;
  return `could not start: ${error.message}`;
}

/** The package.json beside main.ts, or above build/. */
function packageVersion(): string {
  const here = new URL('./package.json', import.meta.url);
  const text = readFileSync(existsSync(here) ? here : new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function finish(stream: NodeJS.WriteStream, text: string, code: number): never {
  stream.write(text);
  process.exit(code);
}

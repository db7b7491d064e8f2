import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseGoDuration } from '../config/go-duration.ts';
import { suggestion } from '../config/problems.ts';
import { VERSION } from '../runtime/version.ts';
import { components } from './components.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { explain } from './explain.ts';
import { healthCheck } from './health-check.ts';
import type { ConfigArguments, Io } from './io.ts';
import { printConfig } from './print-config.ts';
import type { ReloadRequests } from './reload-requests.ts';
import { run } from './run.ts';
import { validate } from './validate.ts';

/**
 * Runs whichever command is named, or says what the command line should be.
 *
 * @throws ConfigError, and whatever a command throws
 */
export async function runCommandLine(args: readonly string[], io: Io, stop: AbortSignal, reloads: ReloadRequests): Promise<ExitCode> {
  let code: ExitCode = EXIT.OK;
  const program = buildProgram(io, stop, reloads, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // --help and --version end this way too, with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.OK : EXIT.USAGE;
    throw error;
  }
}

function buildProgram(io: Io, stop: AbortSignal, reloads: ReloadRequests, ended: (code: ExitCode) => void): Command {
  const output = {
    writeOut: (text: string) => io.out(text),
    writeErr: (text: string) => io.err(text),
    outputError: (text: string, write: (text: string) => void) => write(`${text.trimEnd()} [OTLP_USAGE]\n`),
  };
  const program = new Command('otlp-agent')
    .description('Receives, batches and forwards OTLP with the configuration of the OpenTelemetry Collector.')
    .version(`otlp-agent version ${VERSION}`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput(output)
    .showHelpAfterError('(otlp-agent --help shows what there is)')
    .addHelpText('after', EXAMPLES);

  const command = (name: string, description: string): Command =>
    program.command(name).description(description).exitOverride().configureOutput(output);

  withConfig(program)
    // So that the arguments of a Collector can stay as they are.
    .addOption(new Option('--feature-gates <gates>', 'accepted for the sake of the Collector, without effect').hideHelp())
    .allowExcessArguments()
    .action(async () => {
      const [unknown] = program.args;
      const names = program.commands.map((each) => each.name());
      if (unknown !== undefined)
        program.error(`error: unknown command "${unknown}"${suggestion(unknown, names)}`, { exitCode: EXIT.USAGE });
      ended(await run(required(program, program), io, stop, reloads));
    });

  const validating = withConfig(command('validate', 'check a configuration and bind nothing'))
    .option('--portable', 'also list what the Collector would refuse')
    .option('--json', 'print JSON');
  validating.action((options: { portable?: boolean; json?: boolean }) =>
    ended(validate({ ...options, ...required(validating, program) }, io)),
  );

  const explaining = withConfig(command('explain', 'draw the compiled line, with its limits and what may end where')).option(
    '--json',
    'print JSON',
  );
  explaining.argument('[file]', 'the configuration, as with --config');
  explaining.action((file: string | undefined, options: { json?: boolean }) => {
    const { config, set } = configArguments(explaining, program);
    const all = file === undefined ? config : [...config, file];
    if (all.length === 0) explaining.error('error: write explain FILE, or --config', { exitCode: EXIT.USAGE });
    ended(explain({ ...options, config: all, set }, io));
  });

  const listing = command('components', 'list what a configuration may use').option('--json', 'print JSON');
  listing.action((options: { json?: boolean }) => ended(components(options, io)));

  const checking = withConfig(command('health-check', 'ask a running agent whether it is ready: exit code 0 or 1'))
    .option('--url <url>', 'ask this URL, not the health_check of the configuration (default: http://localhost:13133/)')
    .option('--timeout <duration>', 'wait so long for the answer', durationOption, 3000);
  checking.action(async (options: { url?: string; timeout: number }) => {
    const url = options.url === undefined ? {} : { url: options.url };
    ended(await healthCheck({ ...configArguments(checking, program), ...url, timeoutMs: options.timeout }, io));
  });

  const printing = withConfig(command('print-config', 'print the configuration with every default, secrets masked'))
    .option('--schema', 'print the JSON Schema of configurations')
    .option('--json', 'print JSON');
  printing.action((options: { schema?: boolean; json?: boolean }) => {
    const sources = options.schema === true ? configArguments(printing, program) : required(printing, program);
    ended(printConfig({ ...options, ...sources }, io));
  });
  return program;
}

const EXAMPLES = `
Examples:
  otlp-agent --config agent.yaml
  otlp-agent --config base.yaml --config site.yaml --set exporters.otlp_grpc.timeout=10s
  otlp-agent validate --portable --config agent.yaml
  otlp-agent explain agent.yaml

Exit codes: 0 ended as asked, 1 wrong configuration, port in use or not healthy, 2 wrong command line, 70 a bug.`;

function withConfig(command: Command): Command {
  return command
    .option('--config <source>', 'YAML file, file:PATH, env:NAME or yaml:TEXT; several are merged, later ones win', collect, [])
    .option('--set <key=value>', 'set one key, after every --config; as in --set exporters.otlp_grpc.timeout=10s', collect, []);
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function durationOption(value: string): number {
  const milliseconds = parseGoDuration(value);
  if (milliseconds === undefined || milliseconds <= 0) throw new InvalidArgumentError('Write a duration such as 3s.');
  return milliseconds;
}

/** Options before and after the name of the command. */
function configArguments(command: Command, program: Command): ConfigArguments {
  const own = command.opts<ConfigArguments>();
  if (command === program) return own;
  const before = program.opts<ConfigArguments>();
  return { config: [...before.config, ...own.config], set: [...before.set, ...own.set] };
}

function required(command: Command, program: Command): ConfigArguments {
  const found = configArguments(command, program);
  if (found.config.length === 0) command.error('error: at least one --config is needed', { exitCode: EXIT.USAGE });
  return found;
}

import { Command, InvalidArgumentError, Option } from 'commander';
import { EXIT, Interrupted } from '../errors.ts';
import type { LoadProtocol } from '../rehearse/messages.ts';
import { Progress } from '../rehearse/progress.ts';
import { Rehearsal, type RehearsalOptions } from '../rehearse/rehearsal.ts';
import { introduction, nextSteps, openAddresses, resultTable, verdict } from '../rehearse/report.ts';
import { type RehearsalResult, succeeded } from '../rehearse/result.ts';

const MAX_SPANS = 5_000_000;

/** As commander hands them over. */
export interface RehearseFlags {
  readonly spans: number;
  readonly protocol: LoadProtocol;
  readonly connections: number;
  readonly sink?: 'embedded' | 'real';
  readonly refuse?: boolean;
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** `otlp-stack rehearse dist/`: what was printed, run on this machine under load, and every span counted at the far end. */
export function rehearseCommand(): Command {
  const command = new Command('rehearse')
    .description('run the printed agent and service on this machine, send spans through them and count them at the far end')
    .argument('[folder]', 'rendered manifests', 'dist');
  return withRehearseOptions(command)
    .addHelpText('after', ABOUT)
    .action((folder: string, flags: RehearseFlags) =>
      rehearseFolder(folder, flags, { again: `npx otlp-stack-cli rehearse ${folder}`, json: {} }),
    );
}

const ABOUT = `
It starts the agent and the sample service with exactly the printed configuration and variables; only addresses become local ones, and each
change is shown. Where the programs otelcol and jaeger are found (in \${OTLP_REAL_CACHE:-~/.cache/otlp-stack-real}/bin or on PATH) the
printed gateway and Jaeger run too; otherwise an embedded OTLP sink counts what arrives.
A span that was lost, or a program that did not end cleanly, is exit code 1.`;

/** The options that `rehearse` and `start` share. */
export function withRehearseOptions(command: Command): Command {
  return command
    .addOption(new Option('--spans <number>', 'how many to send').argParser(positive(MAX_SPANS)).default(100_000))
    .addOption(new Option('--protocol <protocol>', 'of the load').choices(['http/protobuf', 'grpc']).default('http/protobuf'))
    .addOption(new Option('--connections <number>', 'of the load').argParser(positive(64)).default(4))
    .addOption(
      new Option('--sink <sink>', 'where the agent sends to').choices(['embedded', 'real']).default(undefined, 'real where it can be'),
    )
    .option('--refuse', 'let the embedded sink refuse everything for good: shows what a loss looks like')
    .option('--keep', 'leave everything running until ^C and print the addresses')
    .option('--json', 'print the result as one JSON object');
}

/** What differs between the commands that rehearse. */
export interface Presentation {
  /** What a person types to run it once more. */
  readonly again: string;
  /** Stands in the object of `--json` before the result. */
  readonly json: object;
}

/**
 * Rehearses and reports; sets the exit code. With `--keep` it returns after it was told to stop.
 *
 * @throws ManifestReadError, InputError, RehearsalError; Interrupted when told to stop before the result is there
 */
export async function rehearseFolder(folder: string, flags: RehearseFlags, { again, json }: Presentation): Promise<void> {
  const options: RehearsalOptions = { ...flags, folder, sink: flags.sink, refuse: flags.refuse === true, keep: flags.keep === true };
  const progress = new Progress();
  const stop = stopSignal();
  let rehearsal: Rehearsal | undefined;
  try {
    rehearsal = await Rehearsal.start(options, progress, stop.signal);
    const { printed, sink, open, changes } = rehearsal;
    const { object, namespace, name } = printed.service.workload;
    progress.say(`Service: ${object.kind} ${namespace}/${name} with its agent`);
    progress.say(`${introduction(changes, sink.leftOut)}\n`);
    const result = await rehearsal.run(options, progress, stop.signal);
    show(result);
    if (flags.keep) {
      progress.say(`\n${openAddresses(open)}`);
      await stop.received;
      progress.say('Stopping');
    }
    const late = flags.keep ? await rehearsal.stop() : [];
    if (late.length > 0) {
      progress.say(late.join('\n'));
    }
    if (!succeeded(result) || late.length > 0) {
      process.exitCode = EXIT.failed;
    }
  } catch (error) {
    // What fails after ^C fails because of it.
    stop.signal.throwIfAborted();
    throw error;
  } finally {
    progress.end();
    await rehearsal?.stop();
    stop.forget();
  }

  function show(result: RehearsalResult): void {
    if (flags.json) {
      const addresses = flags.keep ? { open: rehearsal?.open } : {};
      process.stdout.write(`${JSON.stringify({ folder, ...json, ...result, ...addresses }, null, 2)}\n`);
      return;
    }
    const next = flags.keep ? '' : `\n${nextSteps(folder, again)}\n`;
    process.stdout.write(`${resultTable(result)}\n${verdict(result)}\n${next}`);
  }
}

/** ^C, SIGTERM or a closed terminal: everything is stopped in order, whatever it was doing. */
function stopSignal(): { signal: AbortSignal; received: Promise<void>; forget(): void } {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (): void => {
    controller.abort(new Interrupted());
    resolve();
  };
  for (const name of names) {
    process.on(name, onSignal);
  }
  return {
    signal: controller.signal,
    received: promise,
    forget: () => {
      for (const name of names) {
        process.off(name, onSignal);
      }
    },
  };
}

function positive(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text.replaceAll('_', ''));
    if (!Number.isInteger(value) || value < 1 || value > max) {
      throw new InvalidArgumentError(`a whole number from 1 to ${max} is needed.`);
    }
    return value;
  };
}

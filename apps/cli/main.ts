/** The program `otlp-stack`. The only place that decides on exit codes: 0 done, 1 failed or found something, 2 wrong input, 130 stopped by a signal. */
import { Command } from 'commander';
import { graphCommand } from './commands/graph.ts';
import { rehearseCommand } from './commands/rehearse.ts';
import { requirementsCommand } from './commands/requirements.ts';
import { secretsCommand } from './commands/secrets.ts';
import { startCommand } from './commands/start.ts';
import { synthCommand } from './commands/synth.ts';
import { EXIT, explain } from './errors.ts';
import { VERSION } from './version.ts';

const program = new Command('otlp-stack')
  .description(
    'Prints a complete observability stack as Kubernetes manifests, looks into what was printed and rehearses it on this machine.',
  )
  .version(VERSION)
  .showHelpAfterError('(see otlp-stack --help)')
  .configureHelp({ sortSubcommands: false })
  .addHelpText(
    'after',
    `
First steps:
  otlp-stack synth                          print the reference stack into dist/
  otlp-stack requirements dist/             what the cluster must have before
  otlp-stack secrets dist/ | kubectl apply -f -
  kubectl apply --server-side -f dist/
  otlp-stack rehearse dist/                 send 100 000 spans through what was printed, on this machine

Exit codes: 0 done, 1 something failed or was lost, 2 the input is wrong (a file, a folder, an option), 130 stopped by ^C.`,
  );

program.exitOverride();
for (const command of [synthCommand, rehearseCommand, requirementsCommand, secretsCommand, graphCommand, startCommand]) {
  // Commands that are added ready-made inherit nothing by themselves.
  program.addCommand(command().copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  const { message, code } = explain(error);
  if (message !== '') {
    process.stderr.write(`${message}\n`);
  }
  process.exitCode = code;
}
// Nothing that is left open (a pool's socket) may keep a finished command alive.
if (process.exitCode !== undefined && process.exitCode !== EXIT.done) {
  process.exit();
}

import { Command } from 'commander';
import { Profile } from 'otlp-stack';
import { objectTable, printedObjects } from '../manifests/table.ts';
import { type RehearseFlags, rehearseFolder, withRehearseOptions } from './rehearse.ts';
import { printReference } from './synth.ts';

const FOLDER = 'dist';

/** `otlp-stack start`, which is `npm start`: print the reference stack, then rehearse what was printed. */
export function startCommand(): Command {
  const command = new Command('start').description('print the reference stack into dist/ and rehearse it: synth and rehearse in one');
  return withRehearseOptions(command).action(async (flags: RehearseFlags) => {
    printReference(FOLDER, Profile.PRODUCTION, 'default');
    const objects = printedObjects(FOLDER);
    if (!flags.json) {
      process.stdout.write(`${objectTable(FOLDER, objects)}\n`);
    }
    await rehearseFolder(FOLDER, flags, { again: 'npm start --', json: { objects } });
  });
}

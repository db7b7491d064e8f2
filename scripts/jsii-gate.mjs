/**
 * Compiles a copy of a construct library with jsii and reads its assembly, so that Python, Java, Go and C# can follow one day. Fails on
 * what jsii itself lets through: `any`, unions, and literals that the assembly forgets ('a' | 'b' becomes string).
 * `jsii-gate.mjs [FOLDER]`, by default lib/stack. The npm package itself stays ordinary TypeScript.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { enter, ROOT } from './bootstrap.mjs';
import { scanAssembly } from './jsii/assembly.mjs';
import { capture, tool } from './tools/process.mjs';

await enter(import.meta.url);
const { scanLiterals } = await import('./jsii/literals.mjs');

const source = resolve(process.argv[2] ?? join(ROOT, 'lib', 'stack'));
const copy = mkdtempSync(join(tmpdir(), 'otlp-stack-jsii-'));
async function gate() {
  for (const entry of readdirSync(source)) {
    if (!['build', 'node_modules', 'package.json', 'tsconfig.json'].includes(entry))
      cpSync(join(source, entry), join(copy, entry), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
  writeFileSync(join(copy, 'package.json'), JSON.stringify(manifest(), null, 2));
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(TSCONFIG, null, 2));
  if (!existsSync(join(copy, 'README.md'))) writeFileSync(join(copy, 'README.md'), '');

  const env = { ...process.env, JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION: '1' };
  const { code, output } = await capture(process.execPath, [tool('jsii'), '--silence-warnings', ...SILENCED], { cwd: copy, env });
  if (code !== 0) {
    process.stderr.write(
      `${output.replaceAll(copy, relative(ROOT, source)).trimEnd()}\njsii does not accept the public API of ${relative(ROOT, source)}.\n`,
    );
    return 1;
  }
  const assembly = JSON.parse(readFileSync(join(copy, '.jsii'), 'utf8'));
  const findings = [...scanAssembly(assembly), ...scanLiterals(copy, assembly)];
  for (const { file, line, member, problem, remedy } of findings) {
    process.stderr.write(`${join(relative(ROOT, source), file)}:${line}: ${member}: ${problem}. ${remedy}\n`);
  }
  const types = Object.keys(assembly.types ?? {}).length;
  process.stdout.write(`jsii: ${types} public types, ${findings.length} not fit for other languages\n`);
  return findings.length === 0 ? 0 : 1;
}

/** What jsii wants to know of a package. Dependencies that are no jsii modules themselves have to be bundled. */
function manifest() {
  const own = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  return {
    name: own.name,
    version: own.version,
    description: own.description,
    license: own.license,
    type: 'module',
    main: 'index.js',
    types: 'index.d.ts',
    author: { name: own.name, roles: ['author'] },
    repository: own.repository ?? { type: 'git', url: 'https://example.com/none.git' },
    jsii: { outdir: 'dist', targets: {}, tsconfig: 'tsconfig.json', validateTsconfig: 'minimal' },
    dependencies: own.dependencies,
    bundledDependencies: Object.keys(own.dependencies ?? {}),
    peerDependencies: own.peerDependencies,
    devDependencies: own.devDependencies,
  };
}

/** Our compiler options for a copy that lies anywhere: nothing that changes what a type means. */
const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2024'],
    module: 'esnext',
    moduleResolution: 'bundler',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    resolveJsonModule: true,
    esModuleInterop: true,
    skipLibCheck: true,
    declaration: true,
  },
  include: ['**/*.ts', '**/*.json'],
  exclude: ['node_modules', 'package.json', 'tsconfig.json'],
};
/** The generators of bindings rename a reserved word; we test with newer peers than the oldest that we allow. */
const SILENCED = ['reserved-word', 'missing-dev-dependency'];

try {
  process.exitCode = await gate();
} finally {
  rmSync(copy, { recursive: true, force: true });
}

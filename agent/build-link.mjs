/**
 * Chunks as one file. Each becomes the text of a function, and the text a comment:
 *
 *   const chunks = {
 *     'main.js'() {/*const {b: c} = chunk('shared.js'); ... return {run: a}*\/},     evaluated at the start
 *     'forward.js'() {/* ... *\/},                                                   evaluated when something asks for it
 *   };
 *   const packed = { 'transform.js'() {/*GyQFABy...*\/} };                           the same, compressed
 *   const compiled = { 'program.js'() {/*qQbewL3...*\/} };                           what V8 made of it (build-compiled.mjs)
 *
 * V8 skips 1 MB of comment in half a millisecond; the same as a string takes it 4 ms, and as code 30 ms, as it looks for mistakes in
 * functions that nobody calls. A function gives its text back with its comment. What is evaluated is named in stacks as
 * /app/otlp-agent.mjs/transform.js.
 */
import { compileFunction } from 'node:vm';
import { brotliCompressSync } from 'node:zlib';
import { parseAst } from 'rolldown/parseAst';
import { AT_ONCE } from './build-late.mjs';

/** Of each function; `chunk` evaluates another one, `meta` is import.meta. */
const PARAMETERS = ['chunk', 'require', 'meta'];

/** Late chunks of so many characters are compressed: loading node:zlib takes 2 ms, once, and the room goes to what V8 has compiled. */
const PACKED_FROM = 1024;

/** What was compiled by another build of V8, or under other flags of it, V8 refuses and compiles anew; the first line spares it the look. */
const LOADER = `const require=process.getBuiltinModule;
const{Script}=require('node:vm');
const made={};
const textOf=(one)=>{const text=one.toString();return text.slice(text.indexOf('/*')+2,-3)};
const bytesOf=(one)=>Buffer.from(textOf(one),'base64');
const open='(function(${PARAMETERS.join()}){';
function chunk(name){
  if(made[name]!==undefined)return made[name];
  const code=name in packed?require('node:zlib').brotliDecompressSync(bytesOf(packed[name])).latin1Slice():textOf(chunks[name]).replaceAll('*\\0/','*/');
  const filename=import.meta.filename+'/'+name;
  const cachedData=compiledBy===process.version+process.platform+process.arch&&name in compiled?bytesOf(compiled[name]):undefined;
  const script=new Script(open+code+'\\n})',{filename,columnOffset:-open.length,cachedData});
  return made[name]=script.runInThisContext()(chunk,require,import.meta);
}
`;

/** Fails the build where an export changes after its module was evaluated: an importer here has what it was then. */
export function fixedExports() {
  return {
    name: 'fixed-exports',
    renderChunk(code, { fileName }) {
      const ast = parseAst(code);
      // Declared to be filled later: `let`, or `var` without a value, as rolldown writes what a module exports that begins in a function.
      const filled = ast.body
        .filter(({ type, kind }) => type === 'VariableDeclaration' && kind !== 'const')
        .flatMap(({ kind, declarations }) => declarations.filter(({ init }) => kind === 'let' || init === null).map(({ id }) => id.name));
      const exported = ast.body.flatMap((node) =>
        node.type === 'ExportNamedDeclaration' ? node.specifiers.map(({ local }) => local.name) : [],
      );
      const changing = filled.find((name) => exported.includes(name));
      if (changing !== undefined) this.error(`${fileName}: ${changing} is exported and may change`);
      return null;
    },
  };
}

/**
 * @param {readonly string[]} starts chunks that are imported late and all the same by each start: they are not compressed
 * @param {ReadonlyMap<string, Buffer>} compiled by chunk, what this very V8 made of it
 * @returns the text of the file that evaluates `entry`
 */
export function link(output, entry, starts = [], compiled = new Map()) {
  const chunks = new Map(output.filter(({ type }) => type === 'chunk').map((one) => [one.fileName, one]));
  refuseCircles(entry, chunks);
  const atStart = new Set();
  for (const name of [entry, ...starts]) importedBy(name, chunks, atStart);
  const plain = [];
  const packed = [];
  for (const [name, { code }] of chunks) {
    const text = ascii(asFunction(code, name, chunks));
    if (atStart.has(name) || text.length < PACKED_FROM) plain.push(commented(name, text.replaceAll('*/', '*\0/')));
    else packed.push(commented(name, brotliCompressSync(text).toString('base64')));
  }
  const ready = [...compiled].map(([name, bytes]) => commented(name, bytes.toString('base64')));
  const by = JSON.stringify(process.version + process.platform + process.arch);
  const table = (parts) => `{\n${parts.join(',\n')}\n}`;
  return `${LOADER}const chunks=${table(plain)};\nconst packed=${table(packed)};\nconst compiledBy=${by},compiled=${table(ready)};\nchunk(${JSON.stringify(entry)});\n`;
}

function commented(name, text) {
  return `${JSON.stringify(name)}(){/*${text}*/}`;
}

/** With what those import, and without what is imported late. */
function importedBy(name, chunks, seen) {
  if (seen.has(name)) return;
  seen.add(name);
  for (const next of chunks.get(name)?.imports ?? []) importedBy(next, chunks, seen);
}

/** Each chunk needs what it imports before its own first line. */
function refuseCircles(name, chunks, way = [], seen = new Set()) {
  if (way.includes(name)) throw new Error(`chunks import each other: ${[...way, name].join(' -> ')}`);
  if (seen.has(name)) return;
  seen.add(name);
  const { imports = [], dynamicImports = [] } = chunks.get(name) ?? {};
  for (const next of imports) refuseCircles(next, chunks, [...way, name], seen);
  for (const next of dynamicImports) refuseCircles(next, chunks, [], seen);
}

/**
 * V8 keeps and parses a text with characters beyond Latin-1 as two bytes each, and Node decodes plain ASCII fastest; all of the others are
 * in texts and patterns.
 */
export function ascii(text) {
  return text.replace(/[^\0-\x7f]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The body of a function that returns what the module exports. */
function asFunction(code, name, chunks) {
  const edits = [];
  const exported = [];
  const replace = ({ start, end }, by) => edits.push({ start, end, by });
  const ast = parseAst(code);
  for (const node of ast.body) {
    if (node.type === 'ImportDeclaration') replace(node, importOf(node, chunks));
    else if (node.type === 'ExportNamedDeclaration' && node.declaration === null && node.source === null) {
      exported.push(...node.specifiers.map((one) => `${nameOf(one.exported)}:${one.local.name}`));
      replace(node, '');
    } else if (node.type === 'ExportDefaultDeclaration' && node.declaration.type.endsWith('Expression')) {
      exported.push('default:$default');
      replace({ start: node.start, end: node.declaration.start }, 'const $default=');
    } else if (node.type.startsWith('Export'))
      throw new Error(`${name}: an export that cannot be linked: ${code.slice(node.start, node.end)}`);
  }
  walk(ast, (node) => {
    if (node.type === 'MetaProperty' && node.meta.name === 'import') replace(node, 'meta');
    else if (node.type === 'ImportExpression') replace(node, `Promise.resolve().then(()=>${evaluated(node.source, chunks)})`);
    else if (node.type === 'CallExpression' && node.callee.name === AT_ONCE) replace(node, atOnce(node.arguments[0], code, chunks));
    else return true;
    return false;
  });
  let text = code;
  for (const { start, end, by } of edits.sort((a, b) => b.start - a.start)) text = text.slice(0, start) + by + text.slice(end);
  const body = `"use strict";${text.trimEnd()}\nreturn{${exported.join(',')}}`;
  try {
    compileFunction(body, PARAMETERS);
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  }
  return body;
}

function importOf({ source, specifiers }, chunks) {
  const from = evaluated(source, chunks);
  const [first] = specifiers;
  if (first === undefined) return `${from};`;
  if (first.type === 'ImportNamespaceSpecifier') return `const ${first.local.name}=${from};`;
  return `const{${specifiers.map(({ imported, local }) => `${imported === undefined ? 'default' : nameOf(imported)}:${local.name}`).join(',')}}=${from};`;
}

/** `import("./a.js")`, or `import("./a.js").then((all) => all.b)` where the module is one of several in its chunk. */
function atOnce(promise, code, chunks) {
  if (promise.type === 'ImportExpression') return evaluated(promise.source, chunks);
  const { callee, arguments: given } = promise;
  if (callee?.object?.type !== 'ImportExpression')
    throw new Error(`not late at all, as others import it too: ${code.slice(promise.start, promise.end)}`);
  return `(${code.slice(given[0].start, given[0].end)})(${evaluated(callee.object.source, chunks)})`;
}

/** What a place of an import is at run time: another chunk or a module of Node. */
function evaluated(source, chunks) {
  const id = source.value ?? source.quasis?.[0].value.cooked;
  // node:module would be 3 ms for a require that finds nothing here but modules of Node.
  if (id === 'node:module') return '{createRequire:()=>require}';
  if (id.startsWith('node:')) return `require(${JSON.stringify(id)})`;
  const name = id.replace(/^\.\//, '');
  if (!chunks.has(name)) throw new Error(`neither a chunk nor a module of Node: ${id}`);
  return `chunk(${JSON.stringify(name)})`;
}

function nameOf(name) {
  return name.type === 'Identifier' ? name.name : JSON.stringify(name.value);
}

/** Visits a tree from the top, and what is below a node where `visit` says true. */
function walk(node, visit) {
  if (Array.isArray(node)) for (const one of node) walk(one, visit);
  else if (typeof node?.type === 'string' && visit(node))
    for (const below of Object.values(node)) if (typeof below === 'object') walk(below, visit);
}

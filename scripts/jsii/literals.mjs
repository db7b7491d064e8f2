/**
 * Literal types are legal for jsii and erased without a word: `mode: 'a' | 'b'` is a string in the assembly, and users of the other
 * languages learn of the two values from an exception. So this reads the sources by TypeScript's own checker.
 */
import { join, relative } from 'node:path';
import ts from 'typescript';

const REMEDY = 'Make it a class with a private constructor and named instances.';

/** Yields `{ file, line, member, problem, remedy }` for public members of the types that `assembly` lists. */
export function* scanLiterals(root, assembly) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const sources = fileNames.filter((file) => !file.endsWith('.d.ts'));
  const program = ts.createProgram(sources, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  for (const [name, type] of Object.entries(assembly.types ?? {})) {
    if (type.kind === 'enum' || type.locationInModule === undefined) continue;
    const file = program.getSourceFile(join(root, type.locationInModule.filename));
    const declaration = file?.statements.find(
      (node) => (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) && node.name?.text === type.name,
    );
    for (const member of declaration?.members ?? []) {
      if (!isPublic(member)) continue;
      for (const { label, node } of mentions(member)) {
        const literals = findLiterals(checker, checker.getTypeAtLocation(node));
        if (literals === undefined) continue;
        const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        yield {
          file: relative(root, file.fileName),
          line,
          member: `${name.slice(name.indexOf('.') + 1)}.${label}`,
          problem: `its literals ${literals} become a plain type in other languages`,
          remedy: REMEDY,
        };
      }
    }
  }
}

function isPublic(member) {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  if ((ts.getCombinedModifierFlags(member) & hidden) !== 0) return false;
  return !(member.name !== undefined && ts.isIdentifier(member.name) && member.name.text.startsWith('_'));
}

/** The places of a member that have a type: itself, its parameters, its result. A constant (`static readonly A = 'a'`) is a value, not a choice. */
function* mentions(member) {
  const label = member.name?.getText() ?? 'constructor';
  if (ts.isPropertySignature(member) || ts.isPropertyDeclaration(member) || ts.isGetAccessorDeclaration(member)) {
    if (member.type !== undefined) yield { label, node: member.type };
    return;
  }
  for (const parameter of member.parameters ?? []) {
    if (parameter.type !== undefined) yield { label: `${label}(${parameter.name.getText()})`, node: parameter.type };
  }
  if (member.type !== undefined) yield { label: `${label}()`, node: member.type };
}

/** The literals in a type, through unions, lists and maps, printed; undefined if there are none. Classes and interfaces are members of their own. */
function findLiterals(checker, type) {
  if (type.flags & (ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral | ts.TypeFlags.TemplateLiteral)) {
    return type.flags & ts.TypeFlags.EnumLiteral ? undefined : checker.typeToString(type);
  }
  if (type.isUnion()) {
    // An enum is a union of its members as well, and jsii knows enums.
    if (type.flags & ts.TypeFlags.EnumLiteral) return undefined;
    const literals = type.types.map((part) => findLiterals(checker, part)).filter((text) => text !== undefined);
    return literals.length > 0 ? literals.join(' | ') : undefined;
  }
  const element = checker.isArrayType(type) ? checker.getTypeArguments(type)[0] : type.getStringIndexType();
  return element === undefined ? undefined : findLiterals(checker, element);
}

/** docs/reference/props.md: every public interface of otlp-stack with its props, their types, defaults and words, read from the sources. */
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../bootstrap.mjs';

const FOLDER = join(ROOT, 'lib', 'stack');

export async function generate() {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(FOLDER, 'tsconfig.json'),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  const program = ts.createProgram([join(FOLDER, 'index.ts')], { ...config.options, noEmit: true, composite: false });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(FOLDER, 'index.ts')));
  const symbols = checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const interfaces = symbols.filter((symbol) => symbol.flags & ts.SymbolFlags.Interface && !/^I[A-Z]/.test(symbol.name));
  const choices = symbols.filter((symbol) => symbol.flags & ts.SymbolFlags.Class && statics(checker, symbol).length > 0);
  return {
    'docs/reference/props.md': [
      '# Props',
      '',
      'Written by `npm run docs` from the sources of `lib/stack`; do not edit.',
      '',
      ...interfaces.flatMap((symbol) => interfaceSection(checker, symbol)),
      '# Closed choices',
      '',
      'Classes whose values come from their named factories.',
      '',
      ...choices.flatMap((symbol) => choiceSection(checker, symbol)),
    ].join('\n'),
  };
}

function interfaceSection(checker, symbol) {
  const properties = checker
    .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
    .filter((property) => !property.name.startsWith('_'));
  if (properties.length === 0) return [];
  const rows = properties.map((property) => {
    const optional = property.flags & ts.SymbolFlags.Optional;
    const type = checker.typeToString(
      checker.getNonNullableType(checker.getTypeOfSymbol(property)),
      undefined,
      ts.TypeFormatFlags.NoTruncation,
    );
    return `| ${property.name}${optional ? '' : ' (required)'} | \`${cell(type)}\` | ${cell(tag(property, 'default'))} | ${cell(words(checker, property))} |`;
  });
  return [`## ${symbol.name}`, '', words(checker, symbol), '', '| prop | type | default | |', '| --- | --- | --- | --- |', ...rows, ''];
}

function choiceSection(checker, symbol) {
  const rows = statics(checker, symbol).map(
    (member) => `| \`${symbol.name}.${cell(signature(checker, member))}\` | ${cell(words(checker, member))} |`,
  );
  return [`## ${symbol.name}`, '', words(checker, symbol), '', '| value | |', '| --- | --- |', ...rows, ''];
}

/** Public static members that make or are a value of the class. */
function statics(checker, symbol) {
  const type = checker.getTypeOfSymbol(symbol);
  return checker.getPropertiesOfType(type).filter((member) => {
    const declaration = member.valueDeclaration;
    if (!declaration || member.name === 'prototype' || member.name.startsWith('_')) return false;
    const flags = ts.getCombinedModifierFlags(declaration);
    return !(flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected));
  });
}

function signature(checker, member) {
  const type = checker.getTypeOfSymbol(member);
  const call = type.getCallSignatures()[0];
  return call ? `${member.name}(${call.parameters.map((parameter) => parameter.name).join(', ')})` : member.name;
}

function words(checker, symbol) {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll(/\s+/g, ' ').trim();
}

function tag(symbol, name) {
  const found = symbol.getJsDocTags().find((each) => each.name === name);
  return found ? ts.displayPartsToString(found.text).replaceAll(/\s+/g, ' ').trim() : '';
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

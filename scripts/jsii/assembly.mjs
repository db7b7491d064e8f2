/** Finds in a jsii assembly what other languages can only take as "anything": `any` and unions. `object` is json and welcome. */

/** Yields `{ file, line, member, problem, remedy }`, `line` counting from 1. */
export function* scanAssembly(assembly) {
  for (const [name, type] of Object.entries(assembly.types ?? {})) {
    const at = (member, place) => ({
      file: (place ?? type.locationInModule)?.filename ?? '?',
      line: (place ?? type.locationInModule)?.line ?? 0,
      member: `${name.slice(name.indexOf('.') + 1)}.${member}`,
    });
    for (const { member, reference, location } of references(type)) {
      for (const finding of judge(reference)) yield { ...at(member, location), ...finding };
    }
  }
}

/** Every place of a public type where a type is mentioned. */
function* references(type) {
  yield* callable('constructor', type.initializer);
  for (const property of type.properties ?? [])
    yield { member: property.name, reference: property.type, location: property.locationInModule };
  for (const method of type.methods ?? []) yield* callable(method.name, method);
}

function* callable(name, signature) {
  if (signature === undefined) return;
  for (const parameter of signature.parameters ?? []) {
    yield { member: `${name}(${parameter.name})`, reference: parameter.type, location: signature.locationInModule };
  }
  if (signature.returns !== undefined)
    yield { member: `${name}()`, reference: signature.returns.type, location: signature.locationInModule };
}

function* judge(reference) {
  if (reference.primitive === 'any')
    yield { problem: "is 'any' (or 'unknown')", remedy: "Name the type; an open configuration is 'object'." };
  if (reference.union !== undefined) {
    const types = reference.union.types.map(print).join(' | ');
    yield { problem: `is the union ${types}`, remedy: 'Make it a class with named factories, or two members.' };
  }
  if (reference.intersection !== undefined) yield { problem: 'is an intersection', remedy: 'Make it an interface that extends both.' };
  if (reference.collection !== undefined) yield* judge(reference.collection.elementtype);
}

function print({ primitive, fqn, collection }) {
  return primitive ?? fqn ?? `${collection?.kind ?? 'type'}<${collection === undefined ? '' : print(collection.elementtype)}>`;
}

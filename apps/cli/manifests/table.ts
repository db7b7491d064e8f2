import Table from 'cli-table3';
import { readSnapshot } from 'otlp-stack-check';
import { COMPACT, compactTable } from '../table.ts';

/** One printed object. */
export interface PrintedObject {
  readonly component: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Every object below `folder`, by its component (`app.kubernetes.io/name`). */
export function printedObjects(folder: string): PrintedObject[] {
  return readSnapshot([folder]).objects.map(({ kind, namespace, name, labels }) => ({
    component: labels['app.kubernetes.io/name'] ?? name,
    kind,
    namespace,
    name,
  }));
}

/** Objects by component and kind, as a person reads them. */
export function objectTable(folder: string, objects: readonly PrintedObject[]): string {
  const byComponent = new Map<string, Map<string, number>>();
  for (const { component, kind } of objects) {
    const kinds = byComponent.get(component) ?? new Map<string, number>();
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    byComponent.set(component, kinds);
  }
  const widest = Math.max(...[...byComponent.keys()].map((component) => component.length));
  const table = new Table({
    ...COMPACT,
    head: ['component', 'objects', 'kinds'],
    colWidths: [widest + 2, 9, 76],
    colAligns: ['left', 'right', 'left'],
  });
  for (const [component, kinds] of byComponent) {
    const total = [...kinds.values()].reduce((sum, count) => sum + count, 0);
    table.push([component, String(total), [...kinds].map(([kind, count]) => (count === 1 ? kind : `${kind} x${count}`)).join(', ')]);
  }
  return `${compactTable(table)}\n${objects.length} objects in ${folder}/\n`;
}

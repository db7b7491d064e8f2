import type Table from 'cli-table3';

/** Lines around the table, between columns and below the head, but not between rows: half as high, and easier to read. */
export const COMPACT = {
  chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  style: { head: [], border: [] },
  wordWrap: true,
};

/** A table made with `COMPACT` as text. */
export function compactTable(table: Table.Table): string {
  const [top = '', head = '', ...rows] = table.toString().split('\n');
  const line = top.replace('┌', '├').replace('┐', '┤').replaceAll('┬', '┼');
  return [top, head, line, ...rows].join('\n');
}

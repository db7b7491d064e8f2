/** What OTTL does with a statement that fails on a record. */
export class OttlErrorMode {
  /** Log it and go on with the next statement. */
  public static readonly IGNORE = new OttlErrorMode('ignore');
  /** Go on without a word. */
  public static readonly SILENT = new OttlErrorMode('silent');
  /** Drop the whole batch. */
  public static readonly PROPAGATE = new OttlErrorMode('propagate');

  private constructor(public readonly name: string) {}
}

/**
 * Statements are OTTL text; the context stands in the path (`span.attributes["x"]`). `otelcol validate` reads them.
 * @internal
 */
export function checkStatements(place: string, key: string, statements: string[] | undefined): void {
  const blank = statements?.findIndex((statement) => statement.trim() === '') ?? -1;
  if (blank >= 0) {
    throw new Error(`${place}: '${key}[${blank}]' is empty: write an OTTL statement or leave it out`);
  }
}

/** What a field of a request is, once and for all: fields of the HPACK tables are checked when they are made, not for each request. */
export const FieldKind = {
  REGULAR: 0,
  METHOD: 1,
  SCHEME: 2,
  PATH: 3,
  AUTHORITY: 4,
  CONTENT_LENGTH: 5,
  COOKIE: 6,
  /** What makes a request malformed wherever it stands (RFC 9113, 8.2 and 8.3.1). */
  BAD: 7,
} as const;

/** Of each entry, besides its octets (RFC 7541, 4.1; RFC 9113, 6.5.2). */
const FIELD_OVERHEAD_BYTES = 32;

/** A header field: of a table, or a literal. */
export class Field {
  readonly name: string;
  readonly value: string;
  readonly kind: number;
  /** What its name alone says: fields that take their name from a table need not look at it again. */
  readonly nameKind: number;
  /** As header lists and tables are counted. */
  readonly bytes: number;

  constructor(name: string, value: string, nameKind: number = kindOfName(name)) {
    this.name = name;
    this.value = value;
    this.nameKind = nameKind;
    this.kind = nameKind === FieldKind.BAD || BAD_VALUE.test(value) ? FieldKind.BAD : kindOf(nameKind, name, value);
    this.bytes = name.length + value.length + FIELD_OVERHEAD_BYTES;
  }
}

const KINDS: ReadonlyMap<string, number> = new Map([
  [':method', FieldKind.METHOD],
  [':scheme', FieldKind.SCHEME],
  [':path', FieldKind.PATH],
  [':authority', FieldKind.AUTHORITY],
  ['content-length', FieldKind.CONTENT_LENGTH],
  ['cookie', FieldKind.COOKIE],
  // Of one connection, so they have no meaning here (RFC 9113, 8.2.2).
  ['connection', FieldKind.BAD],
  ['proxy-connection', FieldKind.BAD],
  ['keep-alive', FieldKind.BAD],
  ['transfer-encoding', FieldKind.BAD],
  ['upgrade', FieldKind.BAD],
]);

/** RFC 9110, 5.6.2, without upper case (RFC 9113, 8.2.1). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Neither NUL, CR nor LF, and no space or tab at either end (RFC 9113, 8.2.1). */
const BAD_VALUE = /[\0\r\n]|^[\t ]|[\t ]$/;
const LENGTH = /^[0-9]{1,15}$/;

function kindOfName(name: string): number {
  return KINDS.get(name) ?? (NAME.test(name) ? FieldKind.REGULAR : FieldKind.BAD);
}

function kindOf(nameKind: number, name: string, value: string): number {
  if (nameKind === FieldKind.REGULAR) return name !== 'te' || value === 'trailers' ? FieldKind.REGULAR : FieldKind.BAD;
  return nameKind !== FieldKind.CONTENT_LENGTH || LENGTH.test(value) ? nameKind : FieldKind.BAD;
}

import { AttributeList } from '../otlp/attribute-list.ts';
import { EDIT, type ItemEditor, KEEP } from '../otlp/edit-items.ts';
import type { EditAttributes } from '../otlp/splice.ts';
import { type ByteItem, type ByteSignal, ByteSource, type ByteTest } from '../ottl/bytes/byte-item.ts';
import type { AttributeAction } from './actions/action.ts';
import { compileActions } from './actions/apply.ts';
import { FixedActions } from './actions/fixed-actions.ts';
import type { AttributesSettings } from './attributes-config.ts';
import { editOnBytes } from './edit-on-bytes.ts';
import { selectionTest } from './match/byte-match.ts';
import type { Body, Metadata } from './process.ts';

/** Field `attributes` of Span and LogRecord. */
const ATTRIBUTES = { traces: 9, logs: 6 } as const;

/** Ten attributes of a hundred bytes make twenty times of a log record of fifty; what a thousand make of two bytes is an attack. */
const LIMIT = { times: 32, bytes: 16 * 1024 * 1024 };

/**
 * What `attributes` does to spans and log records, forwards in one walk into one buffer: FixedActions where all actions are such, else
 * AttributeList. Where bytes are not as SDKs write them and something has to be selected it says nothing, and AttributeEditor is asked.
 */
export class AttributesBytes implements ItemEditor {
  readonly limit = LIMIT;
  readonly keepsEmpty = true;
  growth = 0;
  readonly #field: number;
  readonly #at: ByteItem;
  readonly #selects: ByteTest | undefined;
  readonly #fixed: FixedActions | undefined;
  readonly #edit: EditAttributes;
  readonly #list = new AttributeList();
  /** What the list does is not what is wanted. */
  readonly #isStrict: boolean;
  #byList = false;
  #metadata: Metadata | undefined;

  private constructor(
    field: number,
    at: ByteItem,
    selects: ByteTest | undefined,
    fixed: FixedActions | undefined,
    edit: EditAttributes,
    isStrict: boolean,
  ) {
    this.#isStrict = isStrict;
    this.#field = field;
    this.#at = at;
    this.#selects = selects;
    this.#fixed = fixed;
    this.#edit = edit;
  }

  /** undefined where include or exclude cannot be asked of bytes. */
  static of(settings: AttributesSettings, signal: ByteSignal): AttributesBytes | undefined {
    const source = new ByteSource(signal);
    const selects = settings.include === undefined && settings.exclude === undefined ? undefined : selectionTest(settings, source);
    if (selects === undefined && (settings.include !== undefined || settings.exclude !== undefined)) return undefined;
    return AttributesBytes.ofActions(settings.actions, source, selects);
  }

  /**
   * The same for what was selected by a test on `source`; everything where it is absent. `isStrict`: it also says nothing where it would
   * need a list, or would copy what is empty or what decoding would change.
   */
  static ofActions(
    actions: readonly AttributeAction[],
    source: ByteSource,
    selects: ByteTest | undefined,
    isStrict = false,
  ): AttributesBytes {
    const field = ATTRIBUTES[source.signal];
    const fixed = FixedActions.of(actions, field, (key) => source.attribute(key));
    return new AttributesBytes(field, source.item(), selects, fixed, compileActions(actions), isStrict);
  }

  /** The edited request; undefined where this cannot tell. */
  process(body: Body, metadata: Metadata | undefined): Body | undefined {
    this.#metadata = metadata;
    this.growth = this.#fixed?.growth ?? 0;
    return editOnBytes(body, metadata, this.#at, this);
  }

  resource(_buf: Uint8Array, from: number, end: number): boolean {
    this.#at.resource(from, end);
    return true;
  }

  scope(_buf: Uint8Array, from: number, end: number): boolean {
    this.#at.scope(from, end);
    return true;
  }

  decide(buf: Uint8Array, from: number, end: number): number {
    const fixed = this.#fixed;
    const { fields } = this.#at;
    if (fixed !== undefined || this.#selects !== undefined) {
      const isUsual = fields.load(buf, from, end);
      if (this.#selects !== undefined) {
        if (!isUsual) throw new Error('bytes do not tell whether it is selected');
        if (!this.#selects(this.#at)) return KEEP;
      }
      this.#byList = fixed === undefined || !isUsual || fields.duplicates || !fixed.knows(buf, fields);
      if (this.#isStrict && (this.#byList || fixed?.copiesPlainly(buf, fields) === false))
        throw new Error('the list would not do the same');
      if (fixed !== undefined && !this.#byList) {
        const changes = fixed.decide(fields);
        this.growth = fixed.growth;
        return changes ? EDIT : KEEP;
      }
    }
    this.#byList = true;
    const list = this.#list;
    list.load(this.#at.buf, from, end, this.#field);
    this.#edit(list, this.#metadata);
    if (!list.changed) return KEEP;
    this.growth = list.growth;
    return EDIT;
  }

  write(_buf: Uint8Array, from: number, end: number, out: Buffer, at: number): number {
    if (this.#fixed === undefined || this.#byList) return this.#list.writeTo(out, at);
    return this.#fixed.write(this.#at.fields, this.#at.buf, from, end, out, at);
  }
}

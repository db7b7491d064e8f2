import { editItemsOrThrow, type ItemEditor } from '../otlp/edit-items.ts';
import type { ByteItem } from '../ottl/bytes/byte-item.ts';
import { type Body, type Metadata, wholeOf } from './process.ts';

/** A request edited on its bytes by `editor`, which looks at them through `at`; undefined where bytes are not as SDKs write them. */
export function editOnBytes(body: Body, metadata: Metadata | undefined, at: ByteItem, editor: ItemEditor): Body | undefined {
  const request = wholeOf(body);
  try {
    at.begin(request, metadata);
    return editItemsOrThrow(body, request, editor);
  } catch {
    return undefined;
  } finally {
    at.end();
  }
}

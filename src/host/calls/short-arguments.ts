// Arguments as most calls have them, a tuple of a few numbers and short texts, read without the reader of all values: setting that up takes
// longer than everything else in such a call. Whatever is not exactly that is left to it, errors too.
import { tag } from "../../interpreter/marshal/tags.ts";
import { decodeAscii } from "../../interpreter/marshal/text.ts";
import { pythonEllipsis } from "../../interpreter/marshal/values.ts";

const mostBytes = 64;
const flagless = 0x7f;

/** Without records; floats are not read. Undefined for whatever it does not know. */
export function shortArguments(body: Uint8Array): unknown[] | undefined {
  const { length } = body;
  if (length > mostBytes || ((body[0] ?? 0) & flagless) !== tag.SMALL_TUPLE) return undefined;
  const count = body[1] ?? 0;
  const values: unknown[] = [];
  let at = 2;
  for (let index = 0; index < count; index++) {
    const type = (body[at] ?? 0) & flagless;
    at += 1;
    if (type === tag.INT) {
      if (at + 4 > length) return undefined;
      values.push(
        (body[at] ?? 0) |
          ((body[at + 1] ?? 0) << 8) |
          ((body[at + 2] ?? 0) << 16) |
          ((body[at + 3] ?? 0) << 24),
      );
      at += 4;
    } else if (type === tag.SHORT_ASCII || type === tag.SHORT_ASCII_INTERNED) {
      const end = at + 1 + (body[at] ?? 0);
      if (at >= length || end > length) return undefined;
      const text = decodeAscii(body, at + 1, end);
      if (text === undefined) return undefined;
      values.push(text);
      at = end;
    } else if (type === tag.NONE) values.push(null);
    else if (type === tag.TRUE) values.push(true);
    else if (type === tag.FALSE) values.push(false);
    else if (type === tag.ELLIPSIS) values.push(pythonEllipsis);
    else return undefined;
  }
  return at === length ? values : undefined;
}

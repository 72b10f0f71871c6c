// Arguments as most calls have them, a tuple of a few numbers and short texts, read without the reader of all values: setting that up takes
// longer than everything else in such a call. Whatever is not exactly that is left to it, errors too.
import { tag } from "../../interpreter/marshal/tags.ts";
import { decodeAscii } from "../../interpreter/marshal/text.ts";
import { pythonEllipsis } from "../../interpreter/marshal/values.ts";

const mostBytes = 64;
const flagless = 0x7f;

/** Without records; floats are not read. Undefined for whatever it does not know. */
export function shortArguments(body: Uint8Array): unknown[] | undefined {
  if (body.length > mostBytes || ((body[0] ?? 0) & flagless) !== tag.SMALL_TUPLE) return undefined;
  reading = 1;
  const values = tuple(body, 0);
  return reading === body.length ? values : undefined;
}

/** Where the reader stands. Nothing else runs while it reads. */
let reading = 0;
const mostDepth = 4;
/** What this reader leaves to the other. */
const unknown = Symbol("unknown");

function tuple(body: Uint8Array, depth: number): unknown[] | undefined {
  const count = body[reading] ?? 0;
  reading += 1;
  const values: unknown[] = [];
  for (let index = 0; index < count; index++) {
    const value = item(body, depth);
    if (value === unknown) return undefined;
    values.push(value);
  }
  return values;
}

function item(body: Uint8Array, depth: number): unknown {
  const type = (body[reading] ?? 0) & flagless;
  const at = reading + 1;
  reading = at;
  switch (type) {
    case tag.INT:
      reading = at + 4;
      if (reading > body.length) return unknown;
      return (
        (body[at] ?? 0) |
        ((body[at + 1] ?? 0) << 8) |
        ((body[at + 2] ?? 0) << 16) |
        ((body[at + 3] ?? 0) << 24)
      );
    case tag.SHORT_ASCII:
    case tag.SHORT_ASCII_INTERNED:
      reading = at + 1 + (body[at] ?? 0);
      if (reading > body.length) return unknown;
      return decodeAscii(body, at + 1, reading) ?? unknown;
    case tag.SMALL_TUPLE: {
      const values = depth < mostDepth ? tuple(body, depth + 1) : undefined;
      return values === undefined ? unknown : Object.freeze(values);
    }
    case tag.NONE:
      return null;
    case tag.TRUE:
      return true;
    case tag.FALSE:
      return false;
    case tag.ELLIPSIS:
      return pythonEllipsis;
    default:
      return unknown;
  }
}

// The memory section: one 32-bit memory, to which the rewriter gives a declared maximum. The engine enforces it
// whatever the guest does, which makes it the second wall behind the limit in `emscripten_resize_heap`.

import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { ImageFormatError } from "./image-format-error.ts";

const hasMaximum = 1;
const addressablePages = 65_536;

/**
 * The content of a memory section with that maximum, in pages of 64 KiB, which must not be below the minimum. The minimum stays,
 * unless `minimumPages` gives a smaller one: for a module without data, whose memory somebody else fills.
 */
export function withMaximumPages(
  reader: ByteReader,
  maximumPages: number,
  minimumPages?: number,
): Uint8Array {
  const count = reader.u32("number of memories");
  if (count !== 1) throw new ImageFormatError(`expected one memory, found ${count}`);
  const flags = reader.byte("flags of the memory");
  if ((flags & ~hasMaximum) !== 0) {
    throw new ImageFormatError(`expected an unshared 32-bit memory, found limits with flags ${flags}`);
  }
  const neededPages = reader.u32("minimum of the memory");
  if (maximumPages < neededPages) {
    throw new ImageFormatError(`the module needs ${neededPages} pages of memory, more than ${maximumPages}`);
  }
  if (maximumPages > addressablePages) {
    throw new RangeError(
      `a memory of ${maximumPages} pages is beyond ${addressablePages}, the end of 32-bit addresses`,
    );
  }
  const out = new ByteWriter();
  out.u32(1);
  out.byte(hasMaximum);
  out.u32(Math.min(minimumPages ?? neededPages, neededPages));
  out.u32(maximumPages);
  return out.finish();
}

// The one error of this folder: a WebAssembly file is damaged, or is not of the shape that the rewriter was written for.
// The file is pinned by hash, so in practice this means a wrong or truncated file, never something a guest can cause.

/** Thrown while an image is read or rewritten; the message says what was looked for, and where. */
export class ImageFormatError extends Error {
  override readonly name = "ImageFormatError";
}

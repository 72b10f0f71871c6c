// Text of an embedder's that the guest's system has as bytes: names of files, the environment.
import { pathBytes } from "../../filesystems/tree-path.ts";
import type { ByteString } from "../../kernel/filesystem.ts";

export const bytesForm =
  "text in which the only lone surrogates are U+DC80 to U+DCFF, for bytes that are not UTF-8 (PEP 383)";

/** Undefined for text that stands for no bytes, or spells what is UTF-8 in another way. */
export function bytesOf(text: string): ByteString | undefined {
  try {
    return pathBytes(text);
  } catch {
    return undefined;
  }
}

// The files that an image is made of, as they came with the packages, and only if they are the known ones.
import { type DistributionPart, verifyDistributionFile } from "../../interpreter/distribution.ts";
import { readDistributionFile } from "../../platform/node/package-files.ts";
import { sha256 } from "../../platform/node/powers.ts";

/** Throws ImageError. */
export function readKnownFile(part: DistributionPart): Uint8Array {
  const bytes = readDistributionFile(part);
  verifyDistributionFile(part, bytes, sha256);
  return bytes;
}

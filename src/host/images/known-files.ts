// The files that an image is made of, as they came with the packages, and only if they are the known ones.
import { ImageError } from "../../errors/image-error.ts";
import {
  type DistributionPart,
  distribution,
  verifyDistributionFile,
} from "../../interpreter/distribution.ts";
import { readDistributionFile } from "../../platform/node/package-files.ts";
import { sha256 } from "../../platform/node/powers.ts";

/** Throws ImageError. */
export function readKnownFile(part: DistributionPart): Uint8Array {
  const bytes = read(part);
  verifyDistributionFile(part, bytes, sha256);
  return bytes;
}

function read(part: DistributionPart): Uint8Array {
  try {
    return readDistributionFile(part);
  } catch (error) {
    const { file } = distribution[part];
    const { code } = error as NodeJS.ErrnoException;
    throw new ImageError(
      "IMAGE_UNKNOWN_FILE",
      `${file} cannot be read: ${code}; is the package pyodide installed?`,
      {
        cause: error,
      },
    );
  }
}

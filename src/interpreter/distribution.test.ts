// Only the pinned files are taken, and the error tells both hashes.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { ImageError } from "../errors/image-error.ts";
import { readDistributionFile } from "../platform/node/package-files.ts";
import { distribution, verifyDistributionFile } from "./distribution.ts";

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const resolver = createRequire(import.meta.url);

test.each(["wasm", "library", "timeZones"] as const)(
  "the installed %s is the known one, and one byte more is not",
  (part) => {
    const bytes = readDistributionFile(part);
    expect(() => verifyDistributionFile(part, bytes, digest)).not.toThrow();
    const changed = Buffer.concat([bytes, Buffer.from([0])]);
    expect(() => verifyDistributionFile(part, changed, digest)).toThrow(ImageError);
    expect(() => verifyDistributionFile(part, changed, digest)).toThrow(
      `expected SHA-256 ${distribution[part].sha256}, found ${digest(changed)}`,
    );
  },
);

test("the pinned version is the installed one", () => {
  expect(resolver("pyodide/package.json").version).toBe(distribution.version);
});

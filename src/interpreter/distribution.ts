// What an image is made of: the one build of CPython that this version knows, npm `pyodide`, two files, and the time zones, all by
// hash. All layouts and numbers in this room hold for these bytes and for no others, so anything else is refused.
import { ImageError } from "../errors/image-error.ts";

export const distribution = {
  version: "314.0.7",
  python: "3.14.2",
  wasm: {
    file: "pyodide.asm.wasm",
    sha256: "cc36e3cab04fdfc9a63ff13eb52eae2b911bf46c025cc7b281f394bd3de1d5e6",
  },
  /**
   * Tables of the Unicode database and of the East Asian encodings, a quarter of all data: whole pages of 4 KiB that hold nothing else. Found
   * by what they have in common with the same modules of a native Python, and by which functions of the module name an address in them.
   */
  lateData: [
    {
      modules: ["_codecs_cn", "_codecs_hk", "_codecs_jp", "_codecs_kr", "_codecs_tw"],
      start: 0xc4_000,
      end: 0x15_3000,
    },
    { modules: ["unicodedata"], start: 0x15_4000, end: 0x20_0000 },
  ],
  /**
   * Tables of iconv(3) and of libc++'s conversion of floating point numbers: whole pages. Only functions that Python does not need name an
   * address in them, so that nothing does where not all is exported.
   */
  unusedData: [
    { start: 0x2b_3000, end: 0x2d_2000 },
    { start: 0x2e_6000, end: 0x2f_c000 },
  ],
  library: {
    file: "python_stdlib.zip",
    sha256: "fa1957e5777068fc4f7437f96d860ae2fbe9c19732ba06c84e004ec16dd7dd7a",
  },
  /** The wheel that PEP 615 names as the source of time zones where a system has none; in guest/. */
  timeZones: {
    file: "tzdata-2026.6-py2.py3-none-any.whl",
    sha256: "0a10eec6e13ef16b627fabed9a5f2ba61a62b1c67f327305f4e7e412a70b4aec",
  },
} as const;

export type DistributionPart = "wasm" | "library" | "timeZones";

/** Lower-case hexadecimal SHA-256. */
type Digest = (bytes: Uint8Array) => string;

/** Throws ImageError, which says the hash that was expected and the one that was found. */
export function verifyDistributionFile(part: DistributionPart, bytes: Uint8Array, digest: Digest): void {
  const { file, sha256 } = distribution[part];
  const whole = part === "timeZones" ? "its package" : `pyodide ${distribution.version}`;
  const found = digest(bytes);
  if (found !== sha256) {
    throw new ImageError(
      "IMAGE_UNKNOWN_FILE",
      `${file} is not the file of ${whole}: expected SHA-256 ${sha256}, found ${found}`,
    );
  }
}

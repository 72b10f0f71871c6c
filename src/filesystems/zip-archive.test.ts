// Dishonest zip files: each lie is refused, when the archive is read or at the latest when the entry is.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32 } from "./crc32.ts";
import { bytes } from "./filesystem-fixture.ts";
import { ArchiveFormatError, type ArchiveLimits, readZipEntries } from "./zip-archive.ts";
import { extractZipEntry } from "./zip-content.ts";
import { inflate, type ZipEnd, type ZipPart, zip } from "./zip-fixture.ts";

const limits: ArchiveLimits = { maxEntries: 10, maxEntryBytes: 10_000_000, maxTotalBytes: 12_000_000 };
const text = bytes("print('hello')\n".repeat(50));

function read(archive: Uint8Array): Map<string, Uint8Array> {
  const entries = readZipEntries(archive, limits);
  return new Map(entries.map((entry) => [entry.path, extractZipEntry(archive, entry, inflate)]));
}

function reason(archive: Uint8Array): string {
  try {
    read(archive);
    return "accepted";
  } catch (error) {
    if (error instanceof ArchiveFormatError) return error.message;
    throw error;
  }
}

test("reads stored and deflated entries, directories, empty files and comments", () => {
  const parts: ZipPart[] = [
    { name: "a.py", content: text },
    { name: "b/", method: 0, unixMode: 0o040755 },
    { name: "b/stored", content: text, method: 0, unixMode: 0o100644, localExtraBytes: 7 },
    { name: "b/empty" },
    { name: "__proto__", content: bytes("x"), flags: 0x800 },
  ];
  const got = read(zip(parts, { comment: bytes("a comment, PK\x05\x06 in it, and long enough: ......") }));
  expect([...got]).toEqual([
    ["a.py", text],
    ["b", new Uint8Array(0)],
    ["b/stored", text],
    ["b/empty", new Uint8Array(0)],
    ["__proto__", bytes("x")],
  ]);
});

test("content that is written in shared memory comes out unshared", () => {
  const archive = zip([
    { name: "a", content: text },
    { name: "b", content: text, method: 0 },
  ]);
  const shared = new Uint8Array(new SharedArrayBuffer(archive.length + 3), 3);
  shared.set(archive);
  for (const content of read(shared).values()) {
    expect(content).toEqual(text);
    expect(content.buffer).not.toBeInstanceOf(SharedArrayBuffer);
  }
});

describe("names", () => {
  test.each([
    "",
    "/abs",
    "a//b",
    "../up",
    "a/../b",
    "a/.",
    "./a",
    "a\\b",
    "a\0b",
    "a//",
    "/",
    "x".repeat(256),
    "d/".repeat(70),
  ])("%j is refused", (name) => {
    expect(reason(zip([{ name, method: 0 }]))).toContain("plain relative path");
  });
});

describe("headers", () => {
  const lies: [string, ZipPart, string][] = [
    ["encrypted", { name: "a", flags: 1 }, "encryption"],
    ["strong encryption", { name: "a", flags: 0x41 }, "encryption"],
    ["another method", { name: "a", method: 12 }, "only stored and deflated"],
    ["a link", { name: "a", content: bytes("/etc"), unixMode: 0o120777 }, "only files and directories"],
    ["a file with a directory's name", { name: "a/", unixMode: 0o100644 }, "only files and directories"],
    ["zip64 size", { name: "a", sizeBytes: 0xffffffff }, "zip64"],
    ["zip64 offset", { name: "a", header: 0xffffffff }, "zip64"],
    ["a directory with content", { name: "a/", content: text }, "directory with content"],
    ["stored, two sizes", { name: "a", content: text, method: 0, sizeBytes: 3 }, "two sizes"],
    ["too large", { name: "a", content: text, sizeBytes: 10_000_001 }, "larger than 10000000"],
    ["an impossible ratio", { name: "a", content: text, sizeBytes: 9_000_000 }, "more than deflate can hold"],
    ["reaching into the directory", { name: "a", content: text, compressedBytes: 5000 }, "overlap"],
    ["beginning outside", { name: "a", content: text, header: 1_000_000 }, "overlap"],
    ["beginning in the content", { name: "a", content: text, method: 0, header: 2 }, "overlap"],
    ["another local name", { name: "a", content: text, localName: "b" }, "disagrees"],
    ["a longer local name", { name: "a", content: text, localName: "ab" }, "disagrees"],
    ["another local size", { name: "a", content: text, localSizeBytes: 3 }, "disagrees"],
    ["a wrong checksum", { name: "a", content: text, crc: 1 }, "checksum"],
    ["declared larger", { name: "a", content: text, sizeBytes: text.length + 1 }, "declared size"],
    [
      "a bomb declared small",
      { name: "a", content: new Uint8Array(5_000_000), sizeBytes: 10 },
      "does not inflate",
    ],
  ];
  test.each(lies)("%s is refused", (_, part, message) => {
    expect(reason(zip([part]))).toContain(message);
  });

  test("a content that cannot be inflated is refused", () => {
    const archive = zip([{ name: "a", content: text, method: 0 }]);
    const spoilt = archive.slice();
    const central = archive.length - 22 - 47;
    spoilt[8] = 8;
    spoilt[central + 10] = 8;
    expect(reason(spoilt)).toContain("does not inflate");
  });

  test("an inflater that breaks its bound is caught", () => {
    const archive = zip([{ name: "a", content: text, sizeBytes: 10 }]);
    const [entry] = readZipEntries(archive, limits);
    const unbounded = (): Uint8Array => text;
    expect(() => entry && extractZipEntry(archive, entry, unbounded)).toThrow("declared size");
  });

  test("a local extra field cannot push the content into the next entry", () => {
    const archive = zip([
      { name: "a", content: text, method: 0 },
      { name: "b", content: text, method: 0 },
    ]);
    archive[28] = 9;
    expect(reason(archive)).toContain('"a": its bytes overlap');
  });

  test("two entries over the same bytes are refused", () => {
    const one = { name: "a", content: text, header: 0 };
    expect(reason(zip([one, one]))).toContain("overlap");
  });

  test("caps on entries and on their sum", () => {
    const parts = Array.from({ length: 11 }, (_, i): ZipPart => ({ name: `${i}` }));
    expect(reason(zip(parts))).toContain("11 entries, and 10 are allowed");
    const big = { content: new Uint8Array(7_000_000) };
    expect(
      reason(
        zip([
          { name: "a", ...big },
          { name: "b", ...big },
        ]),
      ),
    ).toContain("more than 12000000");
  });
});

describe("the end record", () => {
  const part: ZipPart = { name: "a", content: text };
  const lies: [string, ZipEnd, string][] = [
    ["more entries than there are", { count: 2 }, "truncated"],
    ["fewer entries than there are", { count: 0 }, "does not end with its last entry"],
    ["a zip64 count", { count: 0xffff }, "zip64"],
    ["a second part", { disk: 1 }, "several parts"],
    ["a shifted directory", { directoryShift: 1 }, "does not end at the end record"],
  ];
  test.each(lies)("%s is refused", (_, end, message) => {
    expect(reason(zip([part], end))).toContain(message);
  });

  test("a zip64 locator before it is refused", () => {
    // As the comment of nothing: the locator takes the place of the central directory's last 20 bytes.
    const archive = zip([{ name: `${"x".repeat(30)}PK\x06\x07${"y".repeat(16)}` }]);
    expect(reason(archive)).toContain("zip64");
  });

  test("what is truncated anywhere is refused", () => {
    const archive = zip([part, { name: "b/", method: 0 }]);
    for (let length = 0; length < archive.length; length++) {
      expect(reason(archive.subarray(0, length))).not.toBe("accepted");
    }
  });

  test("damage is refused or harmless, and never another error", () => {
    const archive = zip([part, { name: "b/c", content: text, method: 0 }]);
    const damage = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = archive.slice();
        for (const [at, byte] of changes) damaged[at] = byte;
        reason(damaged);
      }),
      { numRuns: 2000 },
    );
  });
});

test("the checksum is the standard one", () => {
  expect(crc32(bytes("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
  expect(crc32(new Uint8Array(32).fill(0xff))).toBe(0xff6cab0b);
});

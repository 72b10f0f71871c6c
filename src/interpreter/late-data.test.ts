// Of the real image: what is said to be late is read by nobody before its modules are there, and then it is all there.
import { beforeAll, describe, expect, test } from "vitest";
import { buildWholeModule } from "../host/images/image-build.ts";
import type { LoadedImage } from "../host/images/image-cache.ts";
import { bytecodeModules, refusedByDefault } from "../host/images/library-choice.ts";
import { rehearsedPrograms } from "../host/images/rehearsed-programs.ts";
import { distribution } from "./distribution.ts";
import { decodeImage } from "./image-file.ts";
import { loadForm, Trial } from "./metered-fixture.ts";
import { eachRun } from "./snapshot.ts";
import { guardLoads } from "./wasm/guard-loads-for-tests.ts";
import type { DataRange } from "./wasm/unused-data.ts";

let loaded: LoadedImage;
let lean: Uint8Array;
beforeAll(async () => {
  loaded = await loadForm(false);
  const { memoryBytes } = decodeImage(loaded.image).snapshot;
  const choice = { refusedModules: refusedByDefault, metered: false, tracked: false };
  lean = buildWholeModule(choice, memoryBytes).whole;
}, 120_000);

/** A guest that crashes where it reads one of these bytes. */
function guarded(ranges: readonly DataRange[]): Trial {
  return new Trial({ ...loaded, module: new WebAssembly.Module(guardLoads(lean, ranges)) });
}

const everyCharacter = `
import re, string, sys
total = 0
for code in range(0, sys.maxunicode + 1, 37):
    if 0xd800 <= code < 0xe000:
        continue
    c = chr(code)
    total += len(c.upper() + c.lower() + c.title() + c.casefold() + c.swapcase() + repr(c) + ascii(c) + c.center(3))
    total += c.isidentifier() + c.isprintable() + c.isalpha() + c.isnumeric() + c.isdecimal() + c.isspace() + c.istitle()
    for encoding in ("utf-8", "utf-16", "utf-32", "utf-7", "unicode_escape", "raw_unicode_escape"):
        total += c.encode(encoding).decode(encoding) == c
    total += re.fullmatch(r"(?i)\\w|\\W", c) is not None
for encoding in "ascii latin_1 cp1252 koi8_r iso8859_15 mac_roman punycode".split():
    total += len("Zürich".encode(encoding, "replace"))`;

const library = `
import importlib
for name in ${JSON.stringify(bytecodeModules)}:
    importlib.import_module(name)
import sqlite3, zlib, bz2, lzma, decimal, hashlib, struct, zoneinfo, locale, stringprep
sqlite3.connect(":memory:").execute("select upper('a'), 'ä' like 'Ä'").fetchall()
[zlib.decompress(zlib.compress(b"a" * 1000)), bz2.compress(b"b" * 1000), lzma.compress(b"c" * 1000), decimal.Decimal(2).sqrt()]
[hashlib.new(name, b"d").digest_size for name in hashlib.algorithms_guaranteed if not name.startswith("shake")]`;

test("a snapshot has neither late nor unused data", () => {
  const { runs } = decodeImage(loaded.image).snapshot;
  for (const { start, end } of [...distribution.lateData, ...distribution.unusedData])
    eachRun(runs, (from, length) => {
      expect(from < end && from + length > start, `${from} to ${from + length}`).toBe(false);
    });
});

describe("nobody reads late data before their time", () => {
  const programs: [string, string][] = [
    ["every character", everyCharacter],
    // It needs the Unicode database itself.
    ["the library", library.replace(", stringprep", "")],
    ...rehearsedPrograms.map((source, index) => [`program ${index}`, source] as [string, string]),
  ];
  test.each(programs)("%s", (_name, source) => {
    const trial = guarded([...distribution.lateData, ...distribution.unusedData]);
    expect(trial.run(source)).toMatchObject({ kind: "answer" });
    expect(trial.run("1 / 0")).toMatchObject({ kind: "answer" });
  });

  test.each([
    ["the Unicode database", "import unicodedata\nunicodedata.name('a')"],
    ["a name in a literal", String.raw`"\N{DIGIT ONE}"`],
    ["an encoding", "'a'.encode('euc_jp')"],
  ])("and who does is found out: %s", (_name, source) => {
    expect(guarded(distribution.lateData).run(source)).toMatchObject({ kind: "crashed" });
  });
});

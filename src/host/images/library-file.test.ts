// The library's file, and the memory that threads share it in.
import { expect, test } from "vitest";
import { ImageError } from "../../errors/image-error.ts";
import { decodeLibrary, encodeLibrary } from "./library-file.ts";
import { SharedBytes } from "./shared-bytes.ts";

const files = {
  archive: Uint8Array.of(1, 2, 3),
  wheel: Uint8Array.of(9, 8),
  files: new Map([
    ["a/b.pyc", Uint8Array.of(4)],
    ["empty", new Uint8Array(0)],
  ]),
};

test("what was encoded is decoded, from shared memory as well", () => {
  const encoded = encodeLibrary(files);
  expect(decodeLibrary(encoded)).toEqual(files);
  const shared = new Uint8Array(new SharedArrayBuffer(encoded.length + 3), 3);
  shared.set(encoded);
  expect(decodeLibrary(shared).files.get("a/b.pyc")?.[0]).toBe(4);
});

test("what is no library is refused", () => {
  for (const bytes of [new Uint8Array(2), new Uint8Array(8), Uint8Array.of(255, 0, 0, 0, 1)])
    expect(() => decodeLibrary(bytes)).toThrow(ImageError);
});

test("it is read once, on its first use, for all threads", () => {
  const calls: string[] = [];
  const library = SharedBytes.ofSize(2, (content) => {
    calls.push("first");
    content.set([7, 8]);
  });
  const other = new SharedBytes(library.shared, () => calls.push("second"));
  expect(calls).toEqual([]);
  expect([...library.bytes()]).toEqual([7, 8]);
  expect([...other.bytes()]).toEqual([7, 8]);
  expect(calls).toEqual(["first"]);
});

test("what could not be read is asked for again", () => {
  let works = false;
  const library = SharedBytes.ofSize(1, (content) => {
    if (!works) throw new Error("not now");
    content[0] = 5;
  });
  expect(() => library.bytes()).toThrow("not now");
  works = true;
  expect([...library.bytes()]).toEqual([5]);
});

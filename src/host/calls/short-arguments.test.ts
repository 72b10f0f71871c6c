// The short way to read arguments gives what the reader of all values gives, or nothing: for what Python writes, and for noise.
import { expect, test } from "vitest";
import { decodeValue } from "../../interpreter/marshal/decode.ts";
import { encodeValue } from "../../interpreter/marshal/encode.ts";
import { shortArguments } from "./short-arguments.ts";

const whole = (body: Uint8Array): unknown => decodeValue(body, { records: false, shape: "objects" });
/** What marshal.dumps(…, 4) of CPython gives, with its flags of references. */
const written: readonly (readonly [string, readonly unknown[]])[] = [
  ["a900", []],
  ["a9014e", [null]],
  ["a902e905000000e9ffffffff", [5, -1]],
  ["a903da0161da0162da00", ["a", "b", ""]],
  ["a904544e46e900000080", [true, null, false, -(2 ** 31)]],
  ["a901a902e905000000da0161", [[5, "a"]]],
];

test.each(written)("%s", (hex, values) => {
  const body = Uint8Array.from(Buffer.from(hex, "hex"));
  expect(shortArguments(body)).toEqual(values);
  expect(whole(body)).toEqual(values);
});

test("a tuple is one, however it was read", () => {
  const body = Uint8Array.from(Buffer.from("a901a902e905000000da0161", "hex"));
  expect(Object.isFrozen(shortArguments(body)?.[0])).toBe(true);
  expect(Object.isFrozen((whole(body) as unknown[])[0])).toBe(true);
});

test("noise is read the same way, or left to the reader of all values", () => {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const tags = [0x29, 0x69, 0x7a, 0x5a, 0x4e, 0x54, 0x46, 0x2e, 0x72, 0x28, 0x67];
  let read = 0;
  for (let round = 0; round < 100_000; round++) {
    const body = Uint8Array.from({ length: random(20) }, () =>
      random(2) === 0 ? (tags[random(tags.length)] ?? 0) | (random(2) << 7) : random(9),
    );
    body[0] = 0xa9;
    const values = shortArguments(body);
    if (values === undefined) continue;
    read += 1;
    expect(whole(body)).toEqual(values);
  }
  expect(read).toBeGreaterThan(100);
});

test("what it does not know is left", () => {
  const one = (value: unknown) => Uint8Array.from([0x29, 1, ...encodeValue(value, { maxBytes: 200 }).bytes]);
  const bodies = [1.5, [1], {}, "x".repeat(70), "ä", 2 ** 40, new Uint8Array(2)].map(one);
  expect(bodies.map(shortArguments)).toEqual(bodies.map(() => undefined));
});

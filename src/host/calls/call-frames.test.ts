// The layout of frames stands twice, here and in the guest's own Python: both say the same. What a trailer is read as is what was written.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  answerFrame,
  answerKind,
  answerTrailerBytes,
  heldBytesOf,
  kindOf,
  lastingBytesOf,
  noTimeout,
  operation,
  operationOf,
  readRequest,
  requestTrailerBytes,
  waitedFor,
  waitedForOf,
} from "./call-frames.ts";
import { frame } from "./calls-fixture.ts";

const guest = join(import.meta.dirname, "..", "..", "..", "guest", "sandboa");
const python = (file: string): string => readFileSync(join(guest, file), "utf8");

/** What `NAME, NAME = …` says, by name. */
function constants(text: string, first: string): Record<string, number> {
  const [, names = "", values = ""] = new RegExp(`^(${first}\\b[A-Z, ]*) = (.*)$`, "m").exec(text) ?? [];
  const count = /^range\((\d+)\)$/.exec(values);
  const numbers = count ? [...Array(Number(count[1])).keys()] : values.split(", ").map(Number);
  return Object.fromEntries(names.split(", ").map((name, at) => [name, numbers[at] ?? Number.NaN]));
}

const upper = (numbers: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name.toUpperCase(), number]));

test("the guest's constants are the host's", () => {
  const text = python("_host.py");
  expect(constants(text, "CALL")).toEqual(upper(operation));
  expect(constants(text, "PLAIN")).toEqual(upper(answerKind));
  // B and I without alignment, little-endian: a byte and four.
  const [, format = ""] = /^_REQUEST = Struct\("<([BI]+)"\)$/m.exec(text) ?? [];
  expect(format).toBe("BBII");
  expect([...format].reduce((bytes, code) => bytes + (code === "B" ? 1 : 4), 0)).toBe(requestTrailerBytes);
  expect(text).toContain("_REQUEST.pack(records, operation, number, call)");
  expect(text).toContain("return answer[-1]");
  expect(Number(/^_NO_TIMEOUT = (\w+)$/m.exec(python("_host_loop.py"))?.[1])).toBe(noTimeout);
});

test("a trailer is read as it was written", () => {
  const body = Uint8Array.of(1, 2, 3);
  const answer = answerFrame(body, answerKind.later, 0xfedc_ba98, 0x8765_4321, waitedFor.guest);
  expect(answer.length).toBe(body.length + answerTrailerBytes);
  expect([heldBytesOf(answer), lastingBytesOf(answer)]).toEqual([0xfedc_ba98, 0x8765_4321]);
  expect([waitedForOf(answer), kindOf(answer)]).toEqual([waitedFor.guest, answerKind.later]);
  expect(() => heldBytesOf(new Uint8Array(answerTrailerBytes - 1))).toThrow(RangeError);
  const request = frame("cancel", { body: "x", number: 0xfedc_ba98, call: 0x8765_4321 });
  expect(readRequest(request)).toMatchObject({
    operation: operation.cancel,
    number: 0xfedc_ba98,
    call: 0x8765_4321,
  });
  expect([request, frame("call"), new Uint8Array(0)].map(operationOf)).toEqual([
    operation.cancel,
    operation.call,
    undefined,
  ]);
});

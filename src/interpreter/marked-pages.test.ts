// The pages that are restored, in a small memory: those that are noted, with what the slack may have reached behind them, and those that
// always are.
import fc from "fast-check";
import { expect, test } from "vitest";
import { GuestMemory } from "../abi/guest-memory.ts";
import type { Machine } from "./machine.ts";
import { MarkedRestore } from "./marked-restore.ts";
import { plainMemory, type Snapshot } from "./snapshot.ts";
import { cardBytes, cardTable, slackBytes } from "./wasm/marking/card-table.ts";

const memoryBytes = 4 * 65_536;
const cards = cardTable(memoryBytes);

/** Two runs of content; the rest is zero. */
const runs = Uint32Array.of(2 * cardBytes, 5 * cardBytes, 20 * cardBytes, 3 * cardBytes);
const snapshot: Snapshot = {
  memoryBytes,
  breakAddress: 0,
  stackPointer: 0,
  hiddenGlobals: [],
  handler: 0,
  runs,
  content: Uint8Array.from({ length: 8 * cardBytes }, (_, at) => 1 + ((at * 7) % 251)),
};

function machineWith(bytes: Uint8Array): Machine {
  const table = { length: 0 };
  const guest = new GuestMemory({ buffer: bytes.buffer as ArrayBuffer }, cards);
  return {
    cards,
    guest,
    table,
    pristineTableLength: 0,
    hidden: [],
    python: { __stack_pointer: {} },
  } as never;
}

function pristine(): Uint8Array {
  const bytes = new Uint8Array(memoryBytes);
  bytes.set(snapshot.content.subarray(0, 5 * cardBytes), 2 * cardBytes);
  bytes.set(snapshot.content.subarray(5 * cardBytes), 20 * cardBytes);
  return bytes;
}

test("whatever was written, up to the slack behind a noted page, is as it was", () => {
  const page = fc.integer({ min: 0, max: cards.pages - 1 });
  const write = fc.record({ page, at: fc.integer({ min: 0, max: cardBytes + slackBytes - 1 }) });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
      const bytes = pristine();
      for (const { page, at } of writes) {
        bytes[page * cardBytes + at] = 255;
        bytes[cards.start + page] = 1;
      }
      new MarkedRestore(snapshot, plainMemory, new Uint32Array(0)).restore(machineWith(bytes));
      expect(Buffer.compare(bytes, pristine())).toBe(0);
    }),
  );
});

test("pages that are restored always need no note, and others are left alone", () => {
  const bytes = pristine();
  bytes[3 * cardBytes] = 255;
  bytes[30 * cardBytes] = 255;
  new MarkedRestore(snapshot, plainMemory, Uint32Array.of(3)).restore(machineWith(bytes));
  const expected = pristine();
  expected[30 * cardBytes] = 255;
  expect(Buffer.compare(bytes, expected)).toBe(0);
});

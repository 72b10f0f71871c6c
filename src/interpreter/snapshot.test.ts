// What a snapshot of the real image holds, seen through the guest's own allocator.
import { expect, test } from "vitest";
import { loadImage } from "../host/images/image-cache.ts";
import { refusedByDefault } from "../host/images/library-choice.ts";
import { Kernel } from "../kernel/kernel.ts";
import { decodeImage } from "./image-file.ts";
import { Machine } from "./machine.ts";
import { newMemory, plainMemory, restoreFresh } from "./snapshot.ts";

/** dlmalloc keeps up to eight words of its own in what is free. */
const linksBytes = 32;

test("what was freed before a snapshot is not in it", async () => {
  const loaded = await loadImage({ refusedModules: refusedByDefault, metered: false, tracked: false });
  const { hiddenGlobals, snapshot } = decodeImage(loaded.image);
  const memory = newMemory(snapshot);
  const machine = new Machine(loaded.module, new Kernel(undefined as never), hiddenGlobals, memory);
  restoreFresh(machine, snapshot, plainMemory);
  const { guest, python } = machine;
  const found = [2 ** 16, 2 ** 14, 2 ** 13].flatMap((bytes) =>
    Array.from({ length: 8 }, () => {
      const address = python.malloc(bytes) >>> 0;
      expect(address).toBeGreaterThan(0);
      return guest.slice(address + linksBytes, bytes - 2 * linksBytes).some((byte) => byte !== 0);
    }),
  );
  expect(found).not.toContain(true);
});

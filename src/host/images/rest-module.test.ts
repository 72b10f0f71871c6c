// The rest of a module is read once, from the file that was opened; damage is told to whoever asks, and leaves nothing open.
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ImageError } from "../../errors/image-error.ts";
import { ImageStore } from "../../platform/node/cache/image-store.ts";
import { checksum } from "../../platform/node/powers.ts";
import { openRest } from "./rest-module.ts";

let folder: string;
let store: ImageStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandboa-rest-"));
  store = new ImageStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const content = Uint8Array.from({ length: 5000 }, (_, index) => index & 0xff);
const first = { content: Uint8Array.of(1, 2), checksum: checksum(Uint8Array.of(1, 2)) };
const never = (): void => expect.unreachable();

/** Descriptors of this process that are open on a file of the folder; the number is 0 where the system does not tell. */
function open(): number {
  if (process.platform !== "linux") return 0;
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      // That of the listing itself is closed by now.
      return false;
    }
  }).length;
}

test("is that of its first part, even when another stands there by then", () => {
  store.write("rest", [content], first.checksum);
  const rest = openRest(store, "rest", first, never);
  store.write("rest", [Uint8Array.of(9)], first.checksum);
  for (let times = 0; times < 2; times++)
    expect(Buffer.compare(rest?.bytes() ?? new Uint8Array(), content)).toBe(0);
  expect(open()).toBe(0);
});

test("is not there without a file, or with an empty one", () => {
  writeFileSync(join(folder, "empty"), "");
  for (const name of ["none", "empty"]) expect(openRest(store, name, first, never)).toBe(undefined);
  expect(open()).toBe(0);
});

test("damage, or the rest of another module, is an ImageError for all who ask, and the file is gone", () => {
  const damaged = Uint8Array.from(content);
  for (const [name, owner] of [
    ["damaged", first.checksum],
    ["another's", first.checksum + 1],
  ] as const) {
    store.write(name, [damaged], owner);
    if (name === "damaged") writeFileSync(join(folder, name), damaged);
    let forgotten = 0;
    const rest = openRest(store, name, first, () => {
      forgotten += 1;
    });
    for (let times = 1; times <= 2; times++) {
      expect(() => rest?.bytes()).toThrow(ImageError);
      expect(forgotten).toBe(times);
    }
    expect([readdirSync(folder), open()]).toEqual([[], 0]);
  }
});

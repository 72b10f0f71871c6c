// The character devices: what they give, take and refuse, and that random requests stay within what a source accepts.
import { expect, test } from "vitest";
import { fullDevice, nullDevice, randomDevice, urandomDevice, zeroDevice } from "./devices.ts";
import { refusal } from "./filesystem-fixture.ts";
import { SkeletonFileSystem } from "./skeleton.ts";

const world = new SkeletonFileSystem({ timeNs: 7n });

function read(device: { read(target: Uint8Array): number }, length: number): number[] {
  const target = new Uint8Array(length).fill(0xee);
  return [...target.subarray(0, device.read(target))];
}

test("null, zero and full", () => {
  const some = new Uint8Array(10);
  const { device: nothing } = nullDevice(world.identity());
  expect([read(nothing, 5), nothing.write(some)]).toEqual([[], 10]);
  const { device: zero } = zeroDevice(world.identity());
  expect([read(zero, 3), zero.write(some)]).toEqual([[0, 0, 0], 10]);
  const { device: full } = fullDevice(world.identity());
  expect([read(full, 3), refusal(() => full.write(some))]).toEqual([[0, 0, 0], "ENOSPC"]);
});

test("random bytes come from the given source in pieces that it accepts", () => {
  for (const make of [randomDevice, urandomDevice]) {
    const pieces: number[] = [];
    const { device } = make(world.identity(), (target) => {
      pieces.push(target.length);
      target.fill(5);
    });
    expect(read(device, 70_000)).toEqual(new Array(70_000).fill(5));
    expect(pieces).toEqual([65_536, 4464]);
    expect(device.read(new Uint8Array(3_000_000))).toBe(1_048_576);
    expect(device.write(new Uint8Array(9))).toBe(9);
  }
});

test("they are Linux's character devices, for everyone, and stay as they are", () => {
  const source = (): void => {};
  const nodes = [
    nullDevice(world.identity()),
    zeroDevice(world.identity()),
    fullDevice(world.identity()),
    randomDevice(world.identity(), source),
    urandomDevice(world.identity(), source),
  ];
  expect(nodes.map((node) => node.attributes().rdev)).toEqual([0x103, 0x105, 0x107, 0x108, 0x109]);
  for (const node of nodes) {
    expect(node.attributes()).toMatchObject({ mode: 0o020666, uid: 0, gid: 0, size: 0, mtimeNs: 7n });
    expect(node.fileSystem).toBe(world);
    expect(refusal(() => node.setAttributes({ mode: 0o600 }))).toBe("EPERM");
  }
});

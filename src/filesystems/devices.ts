// The character devices that every POSIX program expects, with Linux's numbers (Documentation/admin-guide/devices.txt).
// They hold no state: one guest learns nothing from another's use.
import { mode as modeBits } from "../abi/flags.ts";
import { fromLatin1 } from "../abi/guest-memory.ts";
import type { Attributes, Device, DeviceNode, FileSystem } from "../kernel/filesystem.ts";
import { fail } from "../kernel/kernel-error.ts";
import { fixedAttributes, type NodeIdentity } from "./fixed-file.ts";

/** Fills all of target, at most 65,536 bytes long, with random bytes. */
type FillRandom = (target: Uint8Array) => void;

/** The most that WebCrypto's getRandomValues accepts. */
const randomPieceBytes = 65_536;
/** A longer read gets this much: one call must not keep the host busy for as long as the guest's memory is large. */
const maxRandomReadBytes = 1_048_576;
/** Major number of the memory devices, as makedev() places it. */
const memoryMajor = 1 << 8;

export function nullDevice(identity: NodeIdentity): DeviceNode {
  return new FixedDevice(identity, memoryMajor | 3, { read: () => 0, write: swallow });
}

export function zeroDevice(identity: NodeIdentity): DeviceNode {
  return new FixedDevice(identity, memoryMajor | 5, { read: readZeros, write: swallow });
}

export function fullDevice(identity: NodeIdentity): DeviceNode {
  return new FixedDevice(identity, memoryMajor | 7, { read: readZeros, write: () => fail("ENOSPC") });
}

export function randomDevice(identity: NodeIdentity, fillRandom: FillRandom): DeviceNode {
  return new FixedDevice(identity, memoryMajor | 8, randomSource(fillRandom));
}

export function urandomDevice(identity: NodeIdentity, fillRandom: FillRandom): DeviceNode {
  return new FixedDevice(identity, memoryMajor | 9, randomSource(fillRandom));
}

/** A device of our own, without a number: each read begins anew and gives what `report` says at that moment, as ASCII text. */
export function reportDevice(identity: NodeIdentity, report: () => string): DeviceNode {
  const device: Device = {
    read(target) {
      const text = fromLatin1(report()).subarray(0, target.length);
      target.set(text);
      return text.length;
    },
    write: () => fail("EPERM"),
  };
  return new FixedDevice(identity, 0, device, 0o444);
}

class FixedDevice implements DeviceNode {
  readonly kind = "device";
  readonly fileSystem: FileSystem;
  readonly device: Device;
  readonly #attributes: Attributes;

  constructor(identity: NodeIdentity, rdev: number, device: Device, permissions = 0o666) {
    this.fileSystem = identity.fileSystem;
    this.device = device;
    const mode = modeBits.CHARACTER | permissions;
    this.#attributes = fixedAttributes(identity, { mode, nlink: 1, rdev, sizeBytes: 0 });
  }

  attributes(): Attributes {
    return this.#attributes;
  }
  setAttributes(): void {
    fail("EPERM");
  }
}

function swallow(source: Uint8Array): number {
  return source.length;
}

function readZeros(target: Uint8Array): number {
  target.fill(0);
  return target.length;
}

function randomSource(fillRandom: FillRandom): Device {
  return {
    read(target) {
      const total = Math.min(target.length, maxRandomReadBytes);
      for (let at = 0; at < total; at += randomPieceBytes) {
        fillRandom(target.subarray(at, Math.min(at + randomPieceBytes, total)));
      }
      return total;
    },
    write: swallow,
  };
}

// Memory growth, exit and abort, signals, identity, environment, entropy.
import { fromLatin1 } from "../../abi/guest-memory.ts";
import { wasmPageBytes, wholePages } from "../../abi/wasm-pages.ts";
import { callGuest, tableEntry } from "../foreign/call-guest.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import { guestOwner } from "../permissions.ts";
import { inPieces } from "./pieces.ts";

/** Growth comes in steps of this much, so that a growing heap does not detach the views for every page. */
const growthStepBytes = 1 << 20;
/**
 * From this size on half as much again, as far as the limit goes: V8 counts memory that grows as if it were another one, and begins to collect
 * all of its garbage for 64 MiB of such (kExternalAllocationSoftLimit of src/heap/heap.h). It did 20 times in a program that asked for 90 of them.
 */
const largeBytes = 63 << 20;
const randomBytesPerUnit = 16;

/** See interpreter/wasm/splitting/split-module.ts. */
export function loadRest(kernel: Kernel): void {
  kernel.machine.loadRest();
}

export function heapMax(kernel: Kernel): number {
  return kernel.process.limits.memoryBytes;
}

/** (requested size of all memory in bytes) -> 1 or 0. Refusal makes malloc return NULL, which Python turns into MemoryError. */
export function resizeHeap(kernel: Kernel, requested: number): number {
  const { process } = kernel;
  const wanted = wholePages(requested >>> 0);
  const limit = process.limits.memoryBytes;
  const size = kernel.machine.memory.buffer.byteLength;
  if (wanted > limit) return 0;
  if (wanted > size) {
    const step = Math.max(wanted, size < largeBytes ? 0 : size * 1.5);
    const target = Math.min(limit, Math.ceil(step / growthStepBytes) * growthStepBytes);
    // The engine itself may have no more: to the guest the same as its limit.
    if (!growTo(kernel, target) && !growTo(kernel, wanted)) return 0;
  }
  process.noteMemory(wanted);
  return 1;
}

function growTo({ machine }: Kernel, bytes: number): boolean {
  const { memory } = machine;
  try {
    memory.grow((bytes - memory.buffer.byteLength) / wasmPageBytes);
    return true;
  } catch {
    return false;
  }
}

export function exit(kernel: Kernel, status: number): never {
  throw kernel.stop({ kind: "exit", status: status & 0xff });
}

export function abort(kernel: Kernel): never {
  throw kernel.stop({ kind: "abort", detail: "abort() was called" });
}

/** (condition*, file*, line, function*): the texts are the guest's, so they are cut short and kept to printable ASCII. */
export function assertionFailed(kernel: Kernel, condition: number): never {
  throw kernel.stop({ kind: "abort", detail: `assertion failed: ${shownText(kernel, condition)}` });
}

/** A bad address must not save a guest whose assertion failed. */
function shownText(kernel: Kernel, address: number): string {
  try {
    return (kernel.memory.readByteString(address, 200) ?? "?").replaceAll(/[^ -~]/g, "?");
  } catch {
    return "?";
  }
}

/** system(3): without a command it asks whether there is a shell, and there is none. */
export function system(_kernel: Kernel, command: number): number {
  return command === 0 ? 0 : fail("ENOSYS");
}

/** (handler, signal): raise(3) to oneself. A hostile table index traps or calls the guest's own code, nothing else. */
export function callSignalHandler(kernel: Kernel, handler: number, signal: number): void {
  callGuest(kernel, tableEntry(kernel, handler) ?? fail("EINVAL"), [signal]);
}

export function uid(): number {
  return guestOwner.uid;
}

/** Python asks for a description of the JavaScript host; NULL becomes None. */
export function hostDescription(): number {
  return 0;
}

/** (buffer, size): argv[0] as libc sees it. */
export function programName(kernel: Kernel, buffer: number, size: number): void {
  const name = fromLatin1("python\0");
  if (size >>> 0 < name.length) return;
  kernel.memory.slice(buffer, name.length).set(name);
}

/** environ_sizes_get: (count*, bytes*). */
export function environmentSizes(kernel: Kernel, countTarget: number, bytesTarget: number): number {
  kernel.memory.check(countTarget, 4);
  kernel.memory.check(bytesTarget, 4);
  const { environment } = kernel.process;
  kernel.memory.setU32(countTarget, environment.length);
  kernel.memory.setU32(
    bytesTarget,
    environment.reduce((sum, entry) => sum + entry.length + 1, 0),
  );
  return 0;
}

/** environ_get: (char** pointers, char* buffer). */
export function environment(kernel: Kernel, pointers: number, buffer: number): number {
  const entries = kernel.process.environment;
  const text = fromLatin1(entries.map((entry) => `${entry}\0`).join(""));
  kernel.memory.check(pointers, entries.length * 4);
  if (text.length > 0) kernel.memory.slice(buffer, text.length).set(text);
  let at = buffer >>> 0;
  entries.forEach((entry, index) => {
    kernel.memory.setU32(pointers + index * 4, at);
    at += entry.length + 1;
  });
  return 0;
}

export function random(kernel: Kernel, buffer: number, size: number): number {
  const target = kernel.memory.slice(buffer, size);
  const fill = (piece: Uint8Array): number => {
    kernel.process.entropy.fill(piece);
    return piece.length;
  };
  inPieces(kernel, target, fill, randomBytesPerUnit);
  return 0;
}

/** Messages of Emscripten's runtime (_emscripten_log): nobody to tell. */
export function ignore(): void {}

export function zero(): number {
  return 0;
}

export function nothing(): null {
  return null;
}

/** setitimer(2): there is nobody to deliver SIGALRM. */
export function refuseTimer(): number {
  return fail("ENOSYS");
}

/** Polled by the evaluation loop: 0, or 2 for SIGINT, which Python turns into KeyboardInterrupt. */
export function pendingSignal(kernel: Kernel): number {
  return kernel.pollInterrupt();
}

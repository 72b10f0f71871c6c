// File mappings. wasm has no page tables, so a mapping is a copy: made by mmap, written back by msync and munmap when it is
// shared and writable (Emscripten system/lib/libc/emscripten_mmap.c keeps the records, in guest memory, and is not trusted).
import { map, maxOffset, mode, open, protection } from "../../abi/flags.ts";
import { wasmPageBytes, wholePages } from "../../abi/wasm-pages.ts";
import type { Kernel } from "../kernel.ts";
import { fail } from "../kernel-error.ts";
import type { OpenFile } from "../open-file.ts";
import { fileAt, offset } from "./arguments.ts";
import { inPieces } from "./pieces.ts";

/** (length, protection, flags, fd, offset, int* allocated, void** address). Anonymous mappings never come here. */
export function mapFile(
  kernel: Kernel,
  length: number,
  protections: number,
  flags: number,
  fd: number,
  from: bigint,
  allocatedTarget: number,
  addressTarget: number,
): number {
  const { memory } = kernel;
  memory.check(allocatedTarget, 4);
  memory.check(addressTarget, 4);
  const bytes = length >>> 0;
  const position = offset(from);
  const sharing = flags & 0x0f;
  if (bytes === 0 || position % 4096 !== 0) fail("EINVAL");
  if (sharing !== map.SHARED && sharing !== map.PRIVATE && sharing !== map.SHARED_VALIDATE) fail("EINVAL");
  const file = fileAt(kernel, fd);
  if ((file.attributes().mode & mode.TYPE) !== mode.FILE) fail("ENODEV");
  const isWritten = sharing !== map.PRIVATE && (protections & protection.WRITE) !== 0;
  demandMappable(file, sharing, isWritten);
  const rounded = wholePages(bytes);
  if (rounded > kernel.process.limits.memoryBytes) fail("ENOMEM");
  if (isWritten) file.prepareMappedWrites();
  const { mappings } = kernel.process;
  const address =
    sharing === map.PRIVATE ? allocate(kernel, rounded) : mappings.add(file, () => allocate(kernel, rounded));
  try {
    const target = memory.slice(address, rounded);
    const read = inPieces(kernel, target.subarray(0, bytes), (piece, done) =>
      readWhole(file, piece, position + done),
    );
    inPieces(kernel, target.subarray(read), (piece) => piece.fill(0).length);
  } catch (error) {
    mappings.remove(address);
    throw error;
  }
  memory.setI32(allocatedTarget, 1);
  memory.setU32(addressTarget, address);
  return 0;
}

/**
 * Whether a mapping of `file` is allowed (mmap(2)): EACCES. EAGAIN for a shared one of a file that somebody else has locked: they agree about
 * it with others, and a copy would not show what these write. It is how SQLite's WAL would lose transactions.
 */
function demandMappable(file: OpenFile, sharing: number, isWritten: boolean): void {
  const accessMode = file.flags & open.ACCMODE;
  if (accessMode === open.WRONLY) fail("EACCES");
  if (isWritten && accessMode !== open.RDWR) fail("EACCES");
  if (sharing === map.PRIVATE) return;
  const whole = { act: "test", kind: "write", first: 0n, last: maxOffset, waits: false } as const;
  if (file.lock(whole) !== undefined) fail("EAGAIN");
}

/** Less than was asked for only at the file's end. */
function readWhole(file: OpenFile, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const count = file.readAt(target.subarray(done), position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** The guest's allocator answers: its word is checked like any other pointer, and memory may have grown. */
function allocate(kernel: Kernel, bytes: number): number {
  const address = kernel.machine.alignedAllocate(wasmPageBytes, bytes) >>> 0;
  return address === 0 ? fail("ENOMEM") : address;
}

/**
 * msync(2): (address, length, protection, flags, fd, offset). Never grows the file; ENOMEM where no shared mapping is. What can only be
 * read has nothing to write back, and would put an old copy over what the file has become.
 */
export function syncMapping(
  kernel: Kernel,
  address: number,
  length: number,
  protections: number,
  flags: number,
  _fd: number,
  from: bigint,
): number {
  if ((flags & 0x0f) === map.PRIVATE) return 0;
  const position = offset(from);
  const source = kernel.memory.slice(address, length);
  const file = kernel.process.mappings.find(address >>> 0) ?? fail("ENOMEM");
  if (!(protections & protection.WRITE) || (file.flags & open.ACCMODE) === open.RDONLY) return 0;
  const count = Math.max(0, Math.min(source.length, file.attributes().size - position));
  inPieces(kernel, source.subarray(0, count), (piece, done) => {
    for (let at = 0; at < piece.length; ) {
      const written = file.writeMapped(piece.subarray(at), position + done + at);
      if (written === 0) fail("EIO");
      at += written;
    }
    return piece.length;
  });
  return 0;
}

/** munmap(2): writes back what is shared and writable, and keeps the mapping when it cannot; the C side frees the memory. */
export function unmap(
  kernel: Kernel,
  address: number,
  length: number,
  protections: number,
  flags: number,
  fd: number,
  from: bigint,
): number {
  if (protections & protection.WRITE) syncMapping(kernel, address, length, protections, flags, fd, from);
  kernel.process.mappings.remove(address >>> 0);
  return 0;
}

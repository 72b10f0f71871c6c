// A guest without an interpreter: raw calls into the imports of one kernel, over a plain memory, the way hostile wasm code
// would make them. /tmp is scratch space of a skeleton; the clock is a fake that sleeps at once.
import { type ErrnoName, errno } from "../abi/errno.ts";
import { at, open } from "../abi/flags.ts";
import { fromLatin1, GuestMemory, latin1 } from "../abi/guest-memory.ts";
import { statBytes } from "../abi/stat.ts";
import { wasmPageBytes } from "../abi/wasm-pages.ts";
import { nullDevice } from "../filesystems/devices.ts";
import { MemoryFileSystem } from "../filesystems/memory-filesystem.ts";
import { SkeletonFileSystem } from "../filesystems/skeleton.ts";
import { bindImports } from "./bind-imports.ts";
import { StandardStream } from "./character-file.ts";
import { type ClockPolicy, Clocks } from "./clocks.ts";
import { HostMemory } from "./host-memory.ts";
import { Kernel } from "./kernel.ts";
import { Mounts } from "./mounts.ts";
import { guestOwner } from "./permissions.ts";
import type { ClockPower } from "./powers.ts";
import { Process } from "./process.ts";
import { type TimeZone, utc } from "./time-zone.ts";

const memoryPages = { initial: 32, maximum: 64 } as const;
/** Arguments and results live in [arena.start, arena.end), mappings beyond. */
const arena = { start: 4096, end: 16 * wasmPageBytes } as const;
export const startWallNs = 1_700_000_000_123_456_789n;

export type Outcome = number | ErrnoName;
type RawImport = (...values: (number | bigint | null | undefined)[]) => unknown;

const errnoNames = new Map<number, ErrnoName>(
  Object.entries(errno).map(([name, number]) => [number, name as ErrnoName]),
);

class FakeClock implements ClockPower {
  nowNs = 5_000_000_000_001n;
  readonly sleepsMs: number[] = [];
  wallNs(): bigint {
    return startWallNs + this.nowNs - 5_000_000_000_001n;
  }
  monotonicNs(): bigint {
    return this.nowNs;
  }
  sleepMs(milliseconds: number): undefined {
    this.sleepsMs.push(milliseconds);
    this.nowNs += BigInt(Math.ceil(Math.min(milliseconds, 1e12) * 1e6));
  }
}

interface GuestOptions {
  readonly clock?: ClockPolicy;
  readonly zone?: TimeZone;
  readonly quotaBytes?: number;
  readonly maxInodes?: number;
  readonly openFiles?: number;
  /** Of the one account that the kernel and both scratch spaces share. */
  readonly hostMemoryBytes?: number;
}

interface Stat {
  readonly mode: number;
  readonly nlink: number;
  readonly size: number;
  readonly blocks: number;
  readonly atimeSeconds: bigint;
  readonly mtimeSeconds: bigint;
  readonly mtimeNanoseconds: number;
  readonly ino: bigint;
}

export class Guest {
  readonly power = new FakeClock();
  readonly wasmMemory = new WebAssembly.Memory(memoryPages);
  readonly memory = new GuestMemory(this.wasmMemory);
  readonly table = new WebAssembly.Table({ element: "anyfunc", initial: 4 });
  /** The root; what a test places here was the host's doing. */
  readonly skeleton: SkeletonFileSystem;
  readonly scratch: MemoryFileSystem;
  readonly second: MemoryFileSystem;
  readonly hostMemory: HostMemory;
  readonly kernel: Kernel;
  readonly imports: ReadonlyMap<string, RawImport>;
  readonly printed: string[] = [];
  /** Lengths that the entropy power was asked for. */
  readonly filledBytes: number[] = [];
  #next: number = arena.start;
  #nextMapping: number = arena.end;

  constructor(options: GuestOptions = {}) {
    const clocks = new Clocks(options.clock ?? "coarse", this.power);
    const skeleton = new SkeletonFileSystem({ timeNs: 0n });
    this.skeleton = skeleton;
    this.hostMemory = new HostMemory(options.hostMemoryBytes ?? 16 << 20);
    const quota = {
      quotaBytes: options.quotaBytes ?? 4 << 20,
      maxInodes: options.maxInodes ?? 2000,
      account: this.hostMemory,
    };
    const owned = { now: clocks.wallNs, owner: guestOwner, rootMode: 0o755 };
    this.scratch = new MemoryFileSystem({ ...quota, ...owned });
    this.second = new MemoryFileSystem({ ...quota, ...owned });
    const mounts = new Mounts(skeleton);
    mounts.mount(skeleton.directory("/tmp"), this.scratch);
    mounts.mount(skeleton.directory("/mnt/second"), this.second);
    skeleton.place("/dev/null", nullDevice(skeleton.identity()));
    const print = {
      write: (_: string, bytes: Uint8Array): void => {
        this.printed.push(latin1(bytes));
      },
    };
    const process = new Process({
      mounts,
      cwd: this.scratch.root,
      clocks,
      timeZone: options.zone ?? utc,
      entropy: {
        fill: (target) => {
          this.filledBytes.push(target.length);
          target.fill(7);
        },
      },
      environment: ["A=1", "LONG=xyz"],
      streams: [
        StandardStream.input({ read: () => 0 }, 0n),
        StandardStream.output(print, "stdout", 0n),
        StandardStream.output(print, "stderr", 0n),
      ],
      limits: { memoryBytes: memoryPages.maximum * wasmPageBytes, openFiles: options.openFiles ?? 64 },
      hostMemory: this.hostMemory,
    });
    this.kernel = new Kernel(process);
    this.kernel.attach({
      memory: this.wasmMemory,
      guest: this.memory,
      table: this.table,
      alignedAllocate: (_, bytes) => this.#map(bytes),
      setDlError: () => {},
      makeBytes: () => 0,
      stackPointer: new WebAssembly.Global({ value: "i32", mutable: true }, 200_000),
      symbol: (): undefined => undefined,
      fuel: undefined,
      pace: undefined,
      receiveSignal: () => {},
      loadRest: () => {},
      allocate: (bytes) => this.allocate(bytes),
      free: () => {},
    });
    const modules = bindImports(this.kernel);
    this.imports = new Map(
      Object.values(modules).flatMap((functions) => Object.entries(functions as Record<string, RawImport>)),
    );
  }

  get openFiles(): number {
    return this.kernel.process.fds.size;
  }

  /** The raw import. */
  raw(name: string, ...values: (number | bigint)[]): unknown {
    const found = this.imports.get(name);
    if (found === undefined) throw new Error(`no import ${name}`);
    return found(...values);
  }

  /** A system call by its bare name ("openat"): its result, or the name of its errno. */
  call(name: string, ...values: (number | bigint)[]): Outcome {
    const linux = this.imports.get(`__syscall_${name}`);
    const result = Number((linux ?? this.imports.get(name))?.(...values));
    const wasi = linux === undefined && /^(fd|clock|environ|random)_/.test(name);
    const failure = wasi ? result : -result;
    return failure > 0 ? (errnoNames.get(failure) ?? (`errno ${failure}` as ErrnoName)) : result;
  }

  /** Zeroed bytes for arguments and results; old ones are used again after a while. */
  allocate(bytes: number): number {
    const size = (bytes + 15) & ~15;
    if (this.#next + size > arena.end) this.#next = arena.start;
    const address = this.#next;
    this.#next += size;
    this.memory.slice(address, size).fill(0);
    return address;
  }

  #map(bytes: number): number {
    const address = this.#nextMapping;
    if (address + bytes > this.memory.size) return 0;
    this.#nextMapping += bytes;
    return address;
  }

  path(text: string): number {
    const address = this.allocate(text.length + 1);
    this.memory.slice(address, text.length).set(fromLatin1(text));
    return address;
  }

  tryOpen(path: string, flags: number = open.RDONLY, mode = 0o666): Outcome {
    const varargs = this.allocate(4);
    this.memory.setI32(varargs, mode);
    return this.call("openat", at.FDCWD, this.path(path), flags, varargs);
  }

  open(path: string, flags: number = open.RDONLY, mode = 0o666): number {
    const fd = this.tryOpen(path, flags, mode);
    if (typeof fd !== "number") throw new Error(`open ${path}: ${fd}`);
    return fd;
  }

  /** One iovec per text; with a position it is pwritev. */
  write(fd: number, text: string | readonly string[], position?: bigint): Outcome {
    const texts = typeof text === "string" ? [text] : text;
    const vectors = texts.map((piece) => [this.path(piece), piece.length] as const);
    return this.#vectored("write", fd, vectors, position).outcome;
  }

  /** What was read, or the name of the errno. */
  read(fd: number, bytes: number, position?: bigint): string {
    const buffer = this.allocate(bytes);
    const { outcome } = this.#vectored("read", fd, [[buffer, bytes]], position);
    return typeof outcome === "number" ? latin1(this.memory.slice(buffer, outcome)) : outcome;
  }

  #vectored(verb: string, fd: number, vectors: readonly (readonly [number, number])[], position?: bigint) {
    const list = this.allocate(vectors.length * 8);
    vectors.forEach(([address, length], i) => {
      this.memory.setU32(list + i * 8, address);
      this.memory.setU32(list + i * 8 + 4, length);
    });
    const done = this.allocate(4);
    const failure =
      position === undefined
        ? this.call(`fd_${verb}`, fd, list, vectors.length, done)
        : this.call(`fd_p${verb}`, fd, list, vectors.length, position, done);
    return { outcome: failure === 0 ? this.memory.getU32(done) : failure };
  }

  /** Makes a file with this content and closes it. */
  file(path: string, content = "", mode = 0o644): void {
    const fd = this.open(path, open.WRONLY | open.CREAT | open.TRUNC, mode);
    if (content !== "") this.write(fd, content);
    this.close(fd);
  }

  content(path: string): string {
    const fd = this.open(path);
    const text = this.read(fd, 1 << 16);
    this.close(fd);
    return text;
  }

  close(fd: number): Outcome {
    return this.call("fd_close", fd);
  }

  seek(fd: number, offset: bigint, whence: number): bigint | Outcome {
    const target = this.allocate(8);
    const failure = this.call("fd_seek", fd, offset, whence, target);
    return failure === 0 ? this.memory.getI64(target) : failure;
  }

  mkdir(path: string, mode = 0o755): Outcome {
    return this.call("mkdirat", at.FDCWD, this.path(path), mode);
  }
  unlink(path: string): Outcome {
    return this.call("unlinkat", at.FDCWD, this.path(path), 0);
  }
  rmdir(path: string): Outcome {
    return this.call("rmdir", this.path(path));
  }
  symlink(target: string, path: string): Outcome {
    return this.call("symlinkat", this.path(target), at.FDCWD, this.path(path));
  }
  rename(from: string, to: string): Outcome {
    return this.call("renameat", at.FDCWD, this.path(from), at.FDCWD, this.path(to));
  }
  chmod(path: string, mode: number): Outcome {
    return this.call("chmod", this.path(path), mode);
  }
  chdir(path: string): Outcome {
    return this.call("chdir", this.path(path));
  }

  cwd(size = 4096): string {
    const buffer = this.allocate(size);
    const length = this.call("getcwd", buffer, size);
    return typeof length === "number" ? latin1(this.memory.slice(buffer, length - 1)) : length;
  }

  readlink(path: string, size = 4096): string {
    const buffer = this.allocate(size);
    const length = this.call("readlinkat", at.FDCWD, this.path(path), buffer, size);
    return typeof length === "number" ? latin1(this.memory.slice(buffer, length)) : length;
  }

  tryStat(path: string): Outcome {
    return this.call("lstat64", this.path(path), this.allocate(statBytes));
  }

  stat(of: string | number): Stat {
    const target = this.allocate(statBytes);
    const failure =
      typeof of === "number" ? this.call("fstat64", of, target) : this.call("lstat64", this.path(of), target);
    if (failure !== 0) throw new Error(`stat ${of}: ${failure}`);
    return {
      mode: this.memory.getU32(target + 4),
      nlink: this.memory.getU32(target + 8),
      size: Number(this.memory.getI64(target + 24)),
      blocks: this.memory.getI32(target + 36),
      atimeSeconds: this.memory.getI64(target + 40),
      mtimeSeconds: this.memory.getI64(target + 56),
      mtimeNanoseconds: this.memory.getI32(target + 64),
      ino: this.memory.getI64(target + 88),
    };
  }

  pipe(): [reader: number, writer: number] {
    const target = this.allocate(8);
    const failure = this.call("pipe", target);
    if (failure !== 0) throw new Error(`pipe: ${failure}`);
    return [this.memory.getI32(target), this.memory.getI32(target + 4)];
  }

  /** One getdents64 call: the names, or the errno. */
  names(fd: number, size = 4096): string[] | Outcome {
    const buffer = this.allocate(size);
    const used = this.call("getdents64", fd, buffer, size);
    if (typeof used !== "number") return used;
    const names: string[] = [];
    for (let at = buffer; at < buffer + used; at += this.memory.getU16(at + 16)) {
      names.push(this.memory.readByteString(at + 19, 255) ?? "?");
    }
    return names;
  }

  fcntl(fd: number, command: number, argument = 0): Outcome {
    const varargs = this.allocate(4);
    this.memory.setI32(varargs, argument);
    return this.call("fcntl64", fd, command, varargs);
  }

  /** poll(2) of one descriptor: the events that came back. */
  poll(fd: number, wanted: number, timeoutMs = 0): number {
    const entry = this.allocate(8);
    this.memory.setI32(entry, fd);
    this.memory.setU16(entry + 4, wanted);
    this.call("poll", entry, 1, timeoutMs);
    return this.memory.getU16(entry + 6);
  }
}

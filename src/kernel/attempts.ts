// From a call that was refused to what it had wanted: which argument is a path, an address or a descriptor, and for what. Read only
// after the refusal, and only where somebody watches; arguments are as hostile as before, and what is none of these is not told.
import { errno as numbers } from "../abi/errno.ts";
import { at, open } from "../abi/flags.ts";
import { GuestRangeFault } from "../abi/guest-memory.ts";
import type { Kernel } from "./kernel.ts";
import { KernelError } from "./kernel-error.ts";
import { absolutePath } from "./lexical-path.ts";
import type { PathAccess, Refusal } from "./refusals.ts";
import { readSocketAddress } from "./socket-address.ts";

/** Arguments as the module passed them; what is missing is 0. */
type Attempt = (kernel: Kernel, values: readonly number[], errno: number) => readonly (Refusal | undefined)[];

/** Refusals that no grant would change: they come of the guest's own files, or of a call that makes no sense. */
const ownFaults: ReadonlySet<number> = new Set([
  numbers.EEXIST,
  numbers.EINVAL,
  numbers.EISDIR,
  numbers.ELOOP,
  numbers.EMFILE,
  numbers.ENAMETOOLONG,
  numbers.ENOTEMPTY,
  numbers.ENOMEM,
  numbers.ENOSYS,
  numbers.EBUSY,
  numbers.EFAULT,
  numbers.EBADF,
]);
const noRoom: ReadonlySet<number> = new Set([numbers.ENOSPC, numbers.EDQUOT, numbers.EFBIG]);

function atPath(access: PathAccess, directoryAt: number | undefined, pathAt: number): Attempt {
  return (kernel, values, errno) => [
    path(kernel, directoryAt === undefined ? at.FDCWD : values[directoryAt], values[pathAt], access, errno),
  ];
}

function path(
  kernel: Kernel,
  directory: number | undefined,
  address: number | undefined,
  access: PathAccess,
  errno: number,
): Refusal | undefined {
  if (ownFaults.has(errno) || address === undefined || address === 0) return undefined;
  const absolute = absolutePath(kernel, directory ?? at.FDCWD, address, errno);
  return absolute === undefined ? undefined : { kind: "path", access, path: absolute, errno };
}

const opening: Attempt = (kernel, [directory, address, flags = 0], errno) => [
  path(kernel, directory, address, accessOf(flags), errno),
];

function accessOf(flags: number): PathAccess {
  if (flags & open.PATH) return "look";
  if (flags & open.DIRECTORY) return "list";
  if (flags & open.CREAT && flags & open.EXCL) return "create";
  const mode = flags & open.ACCMODE;
  if (mode === open.RDONLY) return "read";
  if (mode === open.RDWR) return "update";
  return flags & open.APPEND ? "append" : "write";
}

const room: Attempt = (kernel, [fd = -1], errno) => {
  const node = noRoom.has(errno) ? kernel.process.fds.find(fd)?.node : undefined;
  return [node && { kind: "room", node, errno }];
};

/** Mappings have their descriptor in the fifth place. */
const mappedRoom: Attempt = (kernel, values, errno) => room(kernel, values.slice(4), errno);

function atAddress(access: "connect" | "send" | "listen", addressAt: number, lengthAt: number): Attempt {
  return (kernel, values, errno) => {
    const address = readSocketAddress(kernel.memory, values[addressAt] ?? 0, values[lengthAt] ?? 0);
    return [address && { kind: "network", access, ...address, errno }];
  };
}

const attempts: ReadonlyMap<string, Attempt> = new Map<string, Attempt>([
  ["__syscall_openat", opening],
  ["__syscall_stat64", atPath("look", undefined, 0)],
  ["__syscall_lstat64", atPath("look", undefined, 0)],
  ["__syscall_newfstatat", atPath("look", 0, 1)],
  ["__syscall_faccessat", atPath("look", 0, 1)],
  ["__syscall_readlinkat", atPath("look", 0, 1)],
  ["__syscall_statfs64", atPath("look", undefined, 0)],
  ["__syscall_chdir", atPath("look", undefined, 0)],
  ["__syscall_truncate64", atPath("write", undefined, 0)],
  ["__syscall_mkdirat", atPath("makeDirectory", 0, 1)],
  ["__syscall_mknodat", atPath("create", 0, 1)],
  ["__syscall_symlinkat", atPath("create", 1, 2)],
  ["__syscall_unlinkat", atPath("remove", 0, 1)],
  ["__syscall_rmdir", atPath("remove", undefined, 0)],
  [
    "__syscall_renameat",
    (kernel, [from, source, to, target], errno) => [
      path(kernel, from, source, "remove", errno),
      path(kernel, to, target, "create", errno),
    ],
  ],
  ["__syscall_chmod", atPath("change", undefined, 0)],
  ["__syscall_fchmodat2", atPath("change", 0, 1)],
  ["__syscall_fchownat", atPath("change", 0, 1)],
  ["__syscall_utimensat", atPath("change", 0, 1)],
  ["fd_write", room],
  ["fd_pwrite", room],
  ["__syscall_ftruncate64", room],
  ["__syscall_fallocate", room],
  ["_msync_js", mappedRoom],
  ["_munmap_js", mappedRoom],
  ["__syscall_connect", atAddress("connect", 1, 2)],
  ["__syscall_bind", atAddress("listen", 1, 2)],
  ["__syscall_sendto", atAddress("send", 4, 5)],
]);

/** Tells the process's observer what this call had wanted. Undefined for calls of which nothing is told. */
export function tellerOf(
  name: string,
): ((kernel: Kernel, values: readonly unknown[], error: KernelError) => void) | undefined {
  const attempt = attempts.get(name);
  if (attempt === undefined) return undefined;
  return (kernel, values, { errno, spent }) => {
    const { refusals } = kernel.process;
    if (refusals === undefined) return;
    const plain = values.map((value) => (typeof value === "number" ? value : 0));
    try {
      for (const refusal of attempt(kernel, plain, errno))
        if (refusal?.kind === "path" || refusal?.kind === "room") refusals.refused({ ...refusal, spent });
        else if (refusal) refusals.refused(refusal);
    } catch (error) {
      // No path, no address, no such descriptor: the call was refused for that.
      if (!(error instanceof KernelError || error instanceof GuestRangeFault)) throw error;
    }
  };
}

// Every way that we know in which a guest can make the host hold memory for it, as loops that go on until they are refused.
// The account is tested against them, and so is the engine's real memory.
import { at, mode, open } from "../abi/flags.ts";
import { ArchiveFileSystem } from "../filesystems/archive-filesystem.ts";
import { nullDevice } from "../filesystems/devices.ts";
import { inflate, zip } from "../filesystems/zip-fixture.ts";
import { Guest, type Outcome } from "./guest-fixture.ts";

export interface Way {
  /** The errno that the guest meets at its budget. */
  readonly refusal: string;
  /** What the host holds on to by design, for speed. */
  readonly keptBytes?: number;
  /** What must be there before. */
  readonly prepare?: (guest: Guest) => void;
  /** One step: 0 or more while it goes well. */
  readonly step: (guest: Guest, i: number) => Outcome;
}

const longTarget = "t".repeat(4095);
const listed = 300;

/** Refused once more than the account allows is held, whatever the other limits are. */
export function hoarder(hostMemoryBytes: number): Guest {
  return new Guest({ hostMemoryBytes, quotaBytes: 2 ** 40, maxInodes: 1e9, openFiles: 1e6 });
}

function create(guest: Guest, path: string): Outcome {
  const fd = guest.tryOpen(path, open.WRONLY | open.CREAT);
  return typeof fd === "number" ? guest.close(fd) : fd;
}

/** A file of this content that has no name any more. */
function nameless(guest: Guest, content: string): Outcome {
  const fd = guest.tryOpen("f", open.RDWR | open.CREAT);
  if (typeof fd !== "number") return fd;
  const written = guest.write(fd, content);
  guest.unlink("f");
  return written;
}

function openRemovedDirectory(guest: Guest): Outcome {
  const made = guest.mkdir("d");
  if (made !== 0) return made;
  for (let i = 0; i < 20; i++) {
    const filled = create(guest, `d/${i}`);
    if (filled !== 0) return filled;
  }
  const fd = guest.tryOpen("d", open.DIRECTORY);
  if (typeof fd === "number") guest.names(fd, 64);
  for (let i = 0; i < 20; i++) guest.unlink(`d/${i}`);
  guest.rmdir("d");
  return fd;
}

function makePipe(guest: Guest): [number, number] | Outcome {
  const target = guest.allocate(8);
  const failure = guest.call("pipe", target);
  return failure === 0 ? [guest.memory.getI32(target), guest.memory.getI32(target + 4)] : failure;
}

function hoardedLink(guest: Guest): Outcome {
  const made = guest.symlink(longTarget, "l");
  if (made !== 0) return made;
  const fd = guest.tryOpen("l", open.PATH | open.NOFOLLOW);
  guest.unlink("l");
  return fd;
}

const makeDeepTree = (guest: Guest, i: number): Outcome => {
  if (i % 1000 === 0) {
    guest.chdir("/tmp");
    guest.mkdir(`tree${i}`);
    guest.chdir(`tree${i}`);
  }
  const made = guest.mkdir("d");
  return made === 0 ? guest.chdir("d") : made;
};

/** A listing that the kernel copies, since the directory is not the guest's own. */
const many = (guest: Guest): void => {
  for (let i = 0; i < listed; i++) guest.skeleton.place(`/many/${i}`, nullDevice(guest.skeleton.identity()));
};

const library = (guest: Guest): void => {
  const content = new Uint8Array(100_000);
  for (let i = 0; i < content.length; i++) content[i] = (i * i) >>> 7;
  const files = Array.from({ length: 400 }, (_, i) => ({ name: `m${i}`, content }));
  const archive = new ArchiveFileSystem(zip(files), inflate);
  guest.kernel.process.mounts.mount(guest.skeleton.directory("/lib"), archive);
};

export const ways: Readonly<Record<string, Way>> = {
  "empty files": { refusal: "ENOSPC", step: (guest, i) => create(guest, `f${i}`) },
  "giant names": { refusal: "ENOSPC", step: (guest, i) => create(guest, `f${i}`.padEnd(255, "\xff")) },
  directories: { refusal: "ENOSPC", step: (guest, i) => guest.mkdir(`d${i}`) },
  "nested directories": { refusal: "ENOSPC", step: makeDeepTree },
  "link targets": { refusal: "ENOSPC", step: (guest, i) => guest.symlink(longTarget, `l${i}`) },
  "named pipes": {
    refusal: "ENOSPC",
    step: (guest, i) => guest.call("mknodat", at.FDCWD, guest.path(`p${i}`), mode.PIPE | 0o600, 0),
  },
  "file content": {
    refusal: "ENOSPC",
    prepare: (guest) => void guest.open("f", open.WRONLY | open.CREAT),
    step: (guest) => guest.write(3, "x".repeat(100_000)),
  },
  "sparse files": {
    refusal: "ENOSPC",
    prepare: (guest) => void guest.open("f", open.WRONLY | open.CREAT),
    step: (guest, i) => guest.write(3, "x", BigInt(i) * 65_536n),
  },
  "files without a name": { refusal: "ENOSPC", step: (guest) => nameless(guest, "x".repeat(2000)) },
  "descriptions of one file": {
    refusal: "ENOMEM",
    prepare: (guest) => guest.file("f"),
    step: (guest) => guest.tryOpen("f"),
  },
  "duplicates of one descriptor": { refusal: "ENOMEM", step: (guest) => guest.call("dup", 1) },
  "removed directories": { refusal: "ENOSPC", step: openRemovedDirectory },
  "removed links": { refusal: "ENOSPC", step: hoardedLink },
  "empty pipes": {
    refusal: "ENOMEM",
    step: (guest) => {
      const ends = makePipe(guest);
      return typeof ends === "object" ? 0 : ends;
    },
  },
  "full pipes": {
    refusal: "ENOMEM",
    step: (guest) => {
      const ends = makePipe(guest);
      return typeof ends === "object" ? guest.write(ends[1], "x".repeat(65_536)) : ends;
    },
  },
  "full named pipes": {
    refusal: "ENOMEM",
    step: (guest, i) => {
      const made = guest.call("mknodat", at.FDCWD, guest.path(`p${i}`), mode.PIPE | 0o600, 0);
      if (made !== 0) return made;
      const fd = guest.tryOpen(`p${i}`, open.RDWR);
      return typeof fd === "number" ? guest.write(fd, "x".repeat(65_536)) : fd;
    },
  },
  sockets: { refusal: "ENOMEM", step: (guest) => guest.call("socket", 2, 1, 0, 0, 0, 0) },
  listings: {
    refusal: "ENOMEM",
    prepare: many,
    step: (guest) => {
      const fd = guest.tryOpen("/many", open.DIRECTORY);
      const names = typeof fd === "number" ? guest.names(fd, 64) : fd;
      return typeof names === "object" ? names.length : names;
    },
  },
  "library files": {
    refusal: "ENOMEM",
    keptBytes: 4 * 2 ** 20,
    prepare: library,
    step: (guest, i) => guest.tryOpen(`/lib/m${i % 400}`),
  },
};

/** Goes on until refused; the errno. */
export function hoard(guest: Guest, way: Way): Outcome {
  way.prepare?.(guest);
  for (let i = 0; ; i++) {
    const outcome = way.step(guest, i);
    if (typeof outcome !== "number") return outcome;
  }
}

/** Closes every descriptor and removes everything in /tmp, as the guest could. */
export function letGo(guest: Guest): void {
  guest.chdir("/");
  for (let fd = 0; fd < guest.kernel.process.fds.limit && guest.openFiles > 0; fd++) guest.close(fd);
  guest.chdir("/tmp");
  removeAll(guest);
  guest.chdir("/mnt/second");
  removeAll(guest);
  guest.chdir("/");
}

/** Without recursion: the guest can nest deeper than our stack. */
function removeAll(guest: Guest): void {
  for (let depth = 0; depth >= 0; ) {
    const fd = guest.open(".", open.DIRECTORY);
    const names = guest.names(fd, 65_536);
    guest.close(fd);
    if (typeof names !== "object") throw new Error(`listing: ${names}`);
    const rest = names.filter((name) => name !== "." && name !== "..");
    const inner = rest.find((name) => guest.unlink(name) !== 0 && guest.rmdir(name) !== 0);
    if (inner !== undefined) {
      guest.chdir(inner);
      depth += 1;
    } else if (rest.length === 0 || names.length < 3) {
      guest.chdir("..");
      depth -= 1;
    }
  }
}

// An AF_INET or AF_INET6 socket that exists and reaches nobody: programs that only make one, or that handle a network
// that is down, work; no packet, name or address ever leaves the sandbox.
import { mode, open, socket, wasiFileType } from "../abi/flags.ts";
import type { Attributes } from "./filesystem.ts";
import { fail } from "./kernel-error.ts";
import { OpenFile, type Readiness } from "./open-file.ts";
import { guestOwner } from "./permissions.ts";

export class InertSocket extends OpenFile {
  readonly fileType = wasiFileType.SOCKET;
  readonly node = undefined;
  readonly family: number;
  readonly type: number;
  readonly #ino: number;
  readonly #madeNs: bigint;

  constructor(family: number, type: number, place: { ino: number; madeNs: bigint }) {
    super(open.RDWR);
    this.family = family;
    this.type = type;
    this.#ino = place.ino;
    this.#madeNs = place.madeNs;
  }

  get isStream(): boolean {
    return this.type === socket.STREAM;
  }

  /** Nobody ever sends anything: ENOTCONN for streams, EAGAIN where POSIX would wait for ever. */
  override read(): number {
    return fail(this.isStream ? "ENOTCONN" : "EAGAIN");
  }
  override write(): number {
    return fail(this.isStream ? "ENOTCONN" : "ENETUNREACH");
  }

  attributes(): Attributes {
    const times = { atimeNs: this.#madeNs, mtimeNs: this.#madeNs, ctimeNs: this.#madeNs };
    return {
      ino: this.#ino,
      mode: mode.SOCKET | 0o600,
      nlink: 1,
      ...guestOwner,
      rdev: 0,
      size: 0,
      blocks: 0,
      ...times,
    };
  }

  readiness(): Readiness {
    return { readable: false, writable: !this.isStream, hangUp: this.isStream, error: false };
  }

  protected release(): void {
    // Nothing is held outside of the guest.
  }
}

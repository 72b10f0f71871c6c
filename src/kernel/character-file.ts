// Open character files: devices such as /dev/null, and the three standard streams.
import { mode, open, wasiFileType } from "../abi/flags.ts";
import type { Attributes, Device, DeviceNode } from "./filesystem.ts";
import { fail } from "./kernel-error.ts";
import { OpenFile, type Readiness } from "./open-file.ts";
import { guestOwner } from "./permissions.ts";
import type { InputPower, OutputPower } from "./powers.ts";

const alwaysReady: Readiness = { readable: true, writable: true, hangUp: false, error: false };

/** An open device node. Not reported as a character device: to libc that would mean a terminal (isatty). */
export class DeviceFile extends OpenFile {
  readonly fileType = wasiFileType.UNKNOWN;
  readonly node: DeviceNode;
  readonly #device: Device;

  constructor(node: DeviceNode, flags: number) {
    super(flags);
    this.node = node;
    this.#device = node.device;
  }

  override read(target: Uint8Array): number {
    if ((this.flags & open.ACCMODE) === open.WRONLY) fail("EBADF");
    return this.#device.read(target);
  }
  override write(source: Uint8Array): number {
    if ((this.flags & open.ACCMODE) === open.RDONLY) fail("EBADF");
    return this.#device.write(source);
  }
  override readAt(target: Uint8Array): number {
    return this.read(target);
  }
  override writeAt(source: Uint8Array): number {
    return this.write(source);
  }
  override seek(): number {
    return 0;
  }
  attributes(): Attributes {
    return this.node.attributes();
  }
  readiness(): Readiness {
    return alwaysReady;
  }
  protected release(): void {
    // Devices hold nothing per description.
  }
}

/** Standard input, output or error: looks like a pipe to a program, never like a terminal. */
export class StandardStream extends OpenFile {
  readonly fileType = wasiFileType.UNKNOWN;
  readonly node = undefined;
  readonly #ino: number;
  readonly #madeNs: bigint;
  readonly #input: InputPower | undefined;
  readonly #output: ((bytes: Uint8Array) => void) | undefined;

  private constructor(
    place: { ino: number; madeNs: bigint },
    input: InputPower | undefined,
    output: ((bytes: Uint8Array) => void) | undefined,
  ) {
    super(input ? open.RDONLY : open.WRONLY);
    this.#ino = place.ino;
    this.#madeNs = place.madeNs;
    this.#input = input;
    this.#output = output;
  }

  static input(power: InputPower, madeNs: bigint): StandardStream {
    return new StandardStream({ ino: 1, madeNs }, power, undefined);
  }

  static output(power: OutputPower, stream: "stdout" | "stderr", madeNs: bigint): StandardStream {
    const place = { ino: stream === "stdout" ? 2 : 3, madeNs };
    return new StandardStream(place, undefined, (bytes) => power.write(stream, bytes));
  }

  override read(target: Uint8Array): number {
    if (!this.#input) fail("EBADF");
    return target.length === 0 ? 0 : this.#input.read(target);
  }

  override write(source: Uint8Array): number {
    if (!this.#output) fail("EBADF");
    if (source.length > 0) this.#output(source);
    return source.length;
  }

  attributes(): Attributes {
    const times = { atimeNs: this.#madeNs, mtimeNs: this.#madeNs, ctimeNs: this.#madeNs };
    return {
      ino: this.#ino,
      mode: mode.PIPE | 0o600,
      nlink: 1,
      ...guestOwner,
      rdev: 0,
      size: 0,
      blocks: 0,
      ...times,
    };
  }

  readiness(): Readiness {
    return {
      readable: this.#input !== undefined,
      writable: this.#output !== undefined,
      hangUp: false,
      error: false,
    };
  }

  protected release(): void {
    // The streams belong to the sandbox, not to the guest's descriptors.
  }
}

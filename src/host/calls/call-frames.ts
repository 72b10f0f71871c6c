// The frames of calls as bytes: a value in marshal format, and behind it a trailer of numbers. Whatever a guest sends is read here first.
// Invariant: nothing but the length of a frame decides what is read, and nothing is allocated for what a frame claims.

export const operation = {
  call: 1,
  next: 3,
  release: 4,
  cancel: 5,
  wait: 6,
  returned: 7,
  describe: 8,
} as const;

export const answerKind = {
  plain: 0,
  /** The value has records (interpreter/marshal). */
  records: 1,
  raise: 2,
  started: 3,
  end: 4,
  callback: 5,
  later: 6,
} as const;

/** In a request that waits: as long as it takes. */
export const noTimeout = 0xffff_ffff;
/** records u8, operation u8, number u32le, call u32le. */
const requestTrailerBytes = 10;
/** held u32le, who was waited for u8, kind u8. */
const answerTrailerBytes = 6;
/** Who was waited for: what the guest's wall time may stand still for, or the guest itself. */
export const waitedFor = { host: 0, guest: 1 } as const;

/** The bytes are no request. */
export class CallFrameError extends Error {
  override readonly name = "CallFrameError";
}

export interface CallRequest {
  readonly body: Uint8Array;
  readonly records: boolean;
  readonly operation: number;
  /** What it is about. */
  readonly number: number;
  /** The guest's own number of a call that it does not wait for; 0 where it waits. */
  readonly call: number;
}

/** Throws CallFrameError. The body is a view of the frame. */
export function readRequest(frame: Uint8Array): CallRequest {
  const end = frame.length - requestTrailerBytes;
  if (end < 0) throw new CallFrameError("a request without its end");
  const records = frame[end] ?? 0;
  if (records > 1) throw new CallFrameError("neither with records nor without");
  return {
    body: frame.subarray(0, end),
    records: records === 1,
    operation: frame[end + 1] ?? 0,
    number: readU32(frame, end + 2),
    call: readU32(frame, end + 6),
  };
}

/** `heldBytes`: what the host holds for the guest behind this answer. */
export function answerFrame(
  body: Uint8Array,
  kind: number,
  heldBytes: number,
  who: number = waitedFor.host,
): Uint8Array {
  const frame = new Uint8Array(body.length + answerTrailerBytes);
  frame.set(body);
  const end = body.length;
  frame[end] = heldBytes;
  frame[end + 1] = heldBytes >>> 8;
  frame[end + 2] = heldBytes >>> 16;
  frame[end + 3] = heldBytes >>> 24;
  frame[end + 4] = who;
  frame[end + 5] = kind;
  return frame;
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}

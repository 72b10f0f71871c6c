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
export const requestTrailerBytes = 10;
/** held u32le, how much of it stays when the run is over u32le, who was waited for u8, kind u8. */
export const answerTrailerBytes = 10;
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

/** What it asks for, of a frame that was not read; undefined where it is too short. */
export function operationOf(frame: Uint8Array): number | undefined {
  return frame[frame.length - requestTrailerBytes + 1];
}

/** `heldBytes`: what the host holds for the guest behind this answer; `lastingBytes`: what of it stays when the run is over. */
export function answerFrame(
  body: Uint8Array,
  kind: number,
  heldBytes: number,
  lastingBytes: number,
  who: number = waitedFor.host,
): Uint8Array {
  const frame = new Uint8Array(body.length + answerTrailerBytes);
  frame.set(body);
  const end = body.length;
  writeU32(frame, end, heldBytes);
  writeU32(frame, end + 4, lastingBytes);
  frame[end + 8] = who;
  frame[end + 9] = kind;
  return frame;
}

/** Of an answer; of the others below as well, one by one, because most calls do nothing but this. Throws RangeError for what is none. */
export function heldBytesOf(answer: Uint8Array): number {
  const at = answer.length - answerTrailerBytes;
  if (at < 0) throw new RangeError("an answer without its end");
  return readU32(answer, at);
}

export function lastingBytesOf(answer: Uint8Array): number {
  return readU32(answer, answer.length - answerTrailerBytes + 4);
}

export function waitedForOf(answer: Uint8Array): number {
  return answer[answer.length - 2] ?? waitedFor.host;
}

export function kindOf(answer: Uint8Array): number {
  return answer[answer.length - 1] ?? -1;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
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

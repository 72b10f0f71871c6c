// One request to the guest's handler: bytes in, bytes out. What comes back may be anything at all.
import { GuestRangeFault } from "../abi/guest-memory.ts";
import type { Machine } from "./machine.ts";

/** The handler did not answer: it raised, or its answer is no bytes object of an allowed size. */
export class NoAnswer {
  readonly detail: string;
  constructor(detail: string) {
    this.detail = detail;
  }
}

/**
 * Calls the handler with `request` and returns a copy of its answer. Throws NoAnswer, and lets GuestStop and engine errors
 * (traps, stack overflow) pass: after those the machine's state is undefined.
 */
export function call(
  machine: Machine,
  handler: number,
  request: Uint8Array,
  maxAnswerBytes: number,
): Uint8Array {
  const { python } = machine;
  try {
    const argument = makeBytes(machine, request);
    const result = python.PyObject_CallOneArg(handler, argument);
    python.Py_DecRef(argument);
    if (result === 0) {
      python.PyErr_Clear();
      throw new NoAnswer("the request handler raised an exception");
    }
    const answer = readBytes(machine, result, maxAnswerBytes);
    python.Py_DecRef(result);
    return answer;
  } catch (error) {
    if (error instanceof GuestRangeFault)
      throw new NoAnswer("the request handler answered with a bad address");
    throw error;
  }
}

function makeBytes(machine: Machine, content: Uint8Array): number {
  const { python, guest } = machine;
  const copy = python.malloc(Math.max(1, content.length)) >>> 0;
  if (copy === 0) throw new NoAnswer("there is no memory left for a request");
  guest.slice(copy, content.length).set(content);
  const object = python.PyBytes_FromStringAndSize(copy, content.length);
  python.free(copy);
  if (object === 0) {
    python.PyErr_Clear();
    throw new NoAnswer("there is no memory left for a request");
  }
  return object;
}

function readBytes(machine: Machine, object: number, maxBytes: number): Uint8Array {
  const { python, guest } = machine;
  const out = python.malloc(8) >>> 0;
  if (out === 0) throw new NoAnswer("there is no memory left for an answer");
  guest.setU32(out, 0);
  guest.setU32(out + 4, 0);
  const failed = python.PyBytes_AsStringAndSize(object, out, out + 4) !== 0;
  const address = guest.getU32(out);
  const length = guest.getU32(out + 4);
  python.free(out);
  if (failed) {
    python.PyErr_Clear();
    throw new NoAnswer("the request handler did not answer with bytes");
  }
  if (length > maxBytes) throw new OversizedAnswer(length);
  return guest.slice(address, length).slice();
}

/** The answer is larger than the host allows. */
export class OversizedAnswer {
  readonly bytes: number;
  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

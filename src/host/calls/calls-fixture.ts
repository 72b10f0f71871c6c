// Functions to call, and frames to call them with, for the tests of this folder.
import { branded } from "../../capabilities/functions/brand.ts";
import type {
  Arguments,
  FunctionCall,
  FunctionCapability,
  ObjectCapability,
  Parameter,
  Signature,
} from "../../capabilities/functions/function-capability.ts";
import type { Later } from "../../filesystems/tree.ts";
import { decodeValue } from "../../interpreter/marshal/decode.ts";
import { encodeValue } from "../../interpreter/marshal/encode.ts";
import type { FaultEvent } from "../events.ts";
import {
  answerKind,
  answerTrailerBytes,
  heldBytesOf,
  kindOf,
  operation,
  requestTrailerBytes,
} from "./call-frames.ts";
import { CallServer, type CallServerOptions } from "./call-server.ts";

export function parameter(name: string, more: Partial<Parameter> = {}): Parameter {
  return { name, annotation: "object", kind: "ordinary", isOptional: false, ...more };
}

export interface FunctionFixture extends Partial<Omit<Signature, "parameters">> {
  readonly parameters?: readonly (string | Parameter)[];
  readonly limits?: Partial<FunctionCapability["limits"]>;
  readonly values?: Partial<FunctionCapability["values"]>;
}

export function fn(
  invoke: (given: Arguments, call: FunctionCall) => unknown,
  { parameters = [], limits, values, ...signature }: FunctionFixture = {},
): FunctionCapability {
  return branded({
    kind: "function",
    signature: {
      returns: "object",
      description: "",
      isAsync: false,
      streams: false,
      ...signature,
      parameters: parameters.map((one) => (typeof one === "string" ? parameter(one) : one)),
    },
    limits: { calls: Infinity, concurrency: Infinity, bytes: Infinity, ...limits },
    values: { shape: "objects", references: "refuse", exactFloats: false, ...values },
    invoke,
  });
}

export interface Served {
  readonly server: CallServer;
  readonly faults: FaultEvent[];
}

export function serve(
  grants: Readonly<Record<string, FunctionCapability | ObjectCapability>>,
  options: Partial<CallServerOptions> = {},
): Served {
  const faults: FaultEvent[] = [];
  const server = new CallServer(new Map(Object.entries(grants)), {
    valueBytes: 2 ** 20,
    heldBytes: 2 ** 22,
    canWait: true,
    nowMs: Date.now,
    onEvent: (event) => faults.push(event),
    ...options,
  });
  server.beginRun();
  return { server, faults };
}

/** Fields of a record, as the guest writes them. */
export class Fields {
  readonly fields: readonly unknown[];
  constructor(...fields: readonly unknown[]) {
    this.fields = fields;
  }
}

const lend = (value: object): readonly unknown[] | undefined =>
  value instanceof Fields ? value.fields : undefined;

export function frame(
  op: keyof typeof operation | number,
  { body = null as unknown, number = 0, call = 0 } = {},
): Uint8Array {
  const { bytes, records } = encodeValue(body, { maxBytes: 2 ** 26, lend });
  const whole = new Uint8Array(bytes.length + requestTrailerBytes);
  whole.set(bytes);
  const view = new DataView(whole.buffer, bytes.length);
  view.setUint8(0, records ? 1 : 0);
  view.setUint8(1, typeof op === "number" ? op : operation[op]);
  view.setUint32(2, number, true);
  view.setUint32(6, call, true);
  return whole;
}

const kindNames = new Map<number, string>(Object.entries(answerKind).map(([name, kind]) => [kind, name]));

/** Kind, value and held bytes of an answer; records are Fields. */
export function read(answer: Uint8Array): { kind: string; value: unknown; held: number } {
  const kind = kindNames.get(kindOf(answer)) ?? "unknown";
  const held = heldBytesOf(answer);
  return {
    kind,
    held,
    value: bodyValue(answer.subarray(0, -answerTrailerBytes), kind === "records" || kind === "callback"),
  };
}

export function bodyValue(body: Uint8Array, records: boolean): unknown {
  return decodeValue(body, {
    records,
    shape: "objects",
    references: "refuse",
    exactFloats: false,
    nowMs: Date.now,
    maxItems: 2 ** 20,
    borrow: (fields) => new Fields(...fields),
  });
}

/** Sends it, and reads the answer. */
export async function ask(
  server: CallServer,
  ...request: Parameters<typeof frame>
): Promise<{ kind: string; value: unknown; held: number }> {
  return read(await (server.answer(frame(...request)) as Later<Uint8Array>));
}

export type Event = readonly [number: number, kind: string, value: unknown];

/** What is ready for the guest's event loop. */
export async function events(server: CallServer, timeoutMs = 0xffff_ffff): Promise<Event[]> {
  const { value } = await ask(server, "wait", { number: timeoutMs });
  return (value as [number, number, Uint8Array][]).map(([number, kind, body]) => [
    number,
    kindNames.get(kind) ?? "unknown",
    bodyValue(body, kind === answerKind.records || kind === answerKind.callback),
  ]);
}

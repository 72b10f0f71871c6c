// From what a run is asked with to the bytes that cross the wall.

import type { GivenValueOptions } from "../capabilities/functions/function-capability.ts";
import { OptionError } from "../errors/option-error.ts";
import { encodeMarshal, encodeValue } from "../interpreter/marshal/encode.ts";
import { UnsupportedValueError } from "../interpreter/marshal/unsupported-value-error.ts";
import { optionRecord } from "./options/option-record.ts";
import { checkSignal } from "./options/signal-option.ts";
import type { RunOptions } from "./run.ts";

const maxRequestBytes = 64 * 2 ** 20;

const optionNames = [
  "inputs",
  "values",
  "filename",
  "value",
  "signal",
  "finalize",
  "onOutput",
  "onCall",
] satisfies (keyof RunOptions)[];

/** Throws OptionError for whatever a run cannot be asked with. */
export function encodeRun(source: string, options: RunOptions): Uint8Array {
  if (typeof source !== "string") throw new OptionError("source", source, "Python source text");
  optionRecord("", options, optionNames);
  const { inputs = {}, filename = null, finalize = false, value = true, values } = options;
  checkOptions(options);
  checkValueOptions(values);
  const request = { action: "run", source, filename, ...crossing(inputs, values), finalize, value };
  try {
    return encodeMarshal(request, { maxBytes: maxRequestBytes, root: "run" });
  } catch (cause) {
    // Texts, flags and bytes can only be too large.
    if (!(cause instanceof UnsupportedValueError)) throw cause;
    const accepted = "source and inputs of at most 64 MiB in all";
    throw new OptionError(cause.path.replace(/^run\./, ""), cause.found, accepted, { cause });
  }
}

/** What has records must be restored in there; most runs have no inputs at all. */
function crossing(inputs: Readonly<Record<string, unknown>>, values: GivenValueOptions | undefined): object {
  if (Object.keys(inputs).length === 0) return { inputs: {}, records: null };
  try {
    const { references } = values ?? {};
    const { bytes, records } = encodeValue(inputs, { maxBytes: maxRequestBytes, references });
    return { inputs: bytes, records };
  } catch (cause) {
    if (!(cause instanceof UnsupportedValueError)) throw cause;
    throw new OptionError(cause.path, cause.message, "what docs/values.md lists", { cause });
  }
}

function checkOptions({ inputs, filename, value, finalize, signal, onOutput, onCall }: RunOptions): void {
  const demand = (option: string, value: unknown, isAccepted: boolean, accepted: string): void => {
    if (value !== undefined && !isAccepted) throw new OptionError(option, value, accepted);
  };
  demand("inputs", inputs, isPlain(inputs), "an object whose members are the variables");
  demand(
    "filename",
    filename,
    typeof filename === "string" && filename !== "" && !filename.includes("\0"),
    "a name",
  );
  demand("value", value, typeof value === "boolean", "true or false");
  demand("finalize", finalize, typeof finalize === "boolean", "true or false");
  checkSignal(signal);
  demand("onOutput", onOutput, typeof onOutput === "function", "a function");
  demand("onCall", onCall, typeof onCall === "function", "a function");
}

/** What a Map or an instance of a class holds would be passed over. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const shapes: readonly unknown[] = ["maps", "objects", "json"];

function checkValueOptions(values: GivenValueOptions | undefined): void {
  if (values === undefined) return;
  optionRecord("values", values, ["shape", "references", "exactFloats"]);
  const { shape = "maps", references = "refuse", exactFloats = false } = values;
  if (!shapes.includes(shape)) throw new OptionError("values.shape", shape, '"maps", "objects", "json"');
  if (references !== "refuse" && references !== "keep")
    throw new OptionError("values.references", references, '"refuse", "keep"');
  if (typeof exactFloats !== "boolean")
    throw new OptionError("values.exactFloats", exactFloats, "true or false");
}

// What the tests of functions share: calls as the host makes them, and native Python as the judge of Python source.
import { execFileSync } from "node:child_process";
import { z } from "zod";
import { GuestException } from "../../errors/guest-exception.ts";
import { importsFor } from "./annotation-text.ts";
import type { FunctionCall, FunctionCapability, ObjectCapability, Signature } from "./function-capability.ts";
import { hostFunction } from "./host-function.ts";
import { signatureText } from "./signature-text.ts";

/** A clock that is moved by hand, and a signal that is aborted by hand. */
export class Caller implements FunctionCall {
  ms = 1000;
  readonly name: string;
  readonly faults: unknown[] = [];
  readonly #abort = new AbortController();

  constructor(name = "lookup") {
    this.name = name;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(): void {
    this.#abort.abort(new Error("nobody waits"));
  }

  nowMs(): number {
    return this.ms;
  }

  fault(error: unknown): void {
    this.faults.push(error);
  }
}

/** A promise that is resolved by hand. */
export function answerLater<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

export function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.assign(Object.create(null), values);
}

/** The answer; of an exception for the guest `Type: message`, of another error `! message`. */
export async function outcome(
  capability: FunctionCapability,
  values: Readonly<Record<string, unknown>> = {},
  call: FunctionCall = new Caller(),
): Promise<unknown> {
  try {
    return await capability.invoke(given(values), call);
  } catch (error) {
    return told(error);
  }
}

export function told(error: unknown): string {
  if (error instanceof GuestException) return `${error.qualifiedType}: ${error.message}`;
  return `! ${error instanceof Error ? error.message : String(error)}`;
}

export function python(program: string, input: unknown): unknown {
  const source = `import json, sys\ngiven = json.load(sys.stdin)\n${program}`;
  return JSON.parse(
    execFileSync("python3", ["-c", source], { input: JSON.stringify(input), encoding: "utf8" }),
  );
}

/** What inspect.signature says of the function as it is written down: [name, kind, has a default, annotation]. */
export function inspected(signatures: readonly Signature[]): unknown {
  const sources = signatures.map(
    (signature) => `from __future__ import annotations\n${signatureText("f", signature)}: ...`,
  );
  return python(
    `
import inspect
found = []
for source in given:
    module = {}
    exec(source, module)
    sig = inspect.signature(module["f"])
    found.append([[p.name, p.kind.name, p.default is not p.empty, p.annotation] for p in sig.parameters.values()]
                 + [["->", inspect.iscoroutinefunction(module["f"]), sig.return_annotation]])
print(json.dumps(found))
`,
    sources,
  );
}

/** Evaluates annotations with the imports that were made for them; gives those that Python cannot evaluate. */
export function badAnnotations(annotations: readonly string[]): unknown {
  return python(
    `
bad = []
for imports, annotation in given:
    module = {}
    try:
        exec("\\n".join(imports), module)
        eval(annotation, module)
    except Exception as error:
        bad.append([annotation, repr(error)])
print(json.dumps(bad))
`,
    annotations.map((annotation) => [importsFor([annotation]), annotation]),
  );
}

/** A function with three parameters, and the arguments that reached it. */
export function counting(): { lookup: FunctionCapability; calls: unknown[] } {
  const calls: unknown[] = [];
  const input = z.object({ id: z.string(), size: z.number().default(1), deep: z.boolean().optional() });
  const lookup = hostFunction({
    input,
    execute: (value) => {
      calls.push(value);
      return calls.length;
    },
  });
  return { lookup, calls };
}

export class Database {
  rows = 2;
  #secret = "s";
  query(sql: string, limit?: number): unknown[] {
    return [sql, limit, this.rows, this.#secret.length];
  }
  async drop(): Promise<string> {
    return "dropped";
  }
  *all(): Generator<number> {
    yield 1;
  }
}

export function methodOf(object: ObjectCapability, name: string): FunctionCapability {
  const found = object.methods.get(name);
  if (found === undefined) throw new Error(`no method ${name}`);
  return found;
}

export function attributeOf(object: ObjectCapability, name: string): FunctionCapability {
  const found = object.attributes.get(name);
  if (found === undefined) throw new Error(`no attribute ${name}`);
  return found;
}

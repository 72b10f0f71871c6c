// A function or object with code around each call: what all words of authority for functions are made of.
import { GuestException } from "../../errors/guest-exception.ts";
import { OptionError } from "../../errors/option-error.ts";
import { branded, isBranded } from "./brand.ts";
import type {
  Arguments,
  FunctionCall,
  FunctionCapability,
  FunctionLimits,
  ObjectCapability,
  Signature,
} from "./function-capability.ts";

/** What the guest can call: a function, or an object with its methods and attributes. */
export type Callable = FunctionCapability | ObjectCapability;

export interface FunctionChange {
  readonly signature?: Signature;
  readonly limits?: FunctionLimits;
  readonly invoke?: FunctionCapability["invoke"];
}

/** By its shape: what an embedder hands over itself may be of its own kind. For whatever may come from a guest there is `isMadeHere`. */
export function isCallable(value: unknown): value is Callable {
  return isFunctionCapability(value) || isObjectCapability(value);
}

/** Whether it was made by a constructor or wrapper of this package: no value of a guest's is. */
export function isMadeHere(value: object): value is Callable {
  return isBranded(value) && isCallable(value);
}

export function isFunctionCapability(value: unknown): value is FunctionCapability {
  return isKind(value, "function") && typeof (value as Partial<FunctionCapability>).invoke === "function";
}

export function isObjectCapability(value: unknown): value is ObjectCapability {
  return isKind(value, "object") && (value as Partial<ObjectCapability>).methods instanceof Map;
}

function isKind(value: unknown, kind: string): boolean {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

export function demandCallable(word: string, value: unknown): Callable {
  if (isCallable(value)) return value;
  throw new OptionError(`${word} capability`, value, "what hostFunction(…) or hostObject(…) gives");
}

export function changedFunction(inner: FunctionCapability, change: FunctionChange): FunctionCapability {
  return branded({
    kind: "function",
    signature: change.signature ?? inner.signature,
    limits: change.limits ?? inner.limits,
    values: inner.values,
    invoke: change.invoke ?? ((given: Arguments, call: FunctionCall) => inner.invoke(given, call)),
  });
}

/** The same change for a function, or for each method and attribute of an object. */
export function changedEach<C extends Callable>(
  inner: C,
  change: (each: FunctionCapability) => FunctionCapability,
): C {
  const changed: Callable =
    inner.kind === "function"
      ? change(inner)
      : branded({
          kind: "object",
          name: inner.name,
          description: inner.description,
          methods: changedMap(inner.methods, change),
          attributes: changedMap(inner.attributes, change),
          target: inner.target,
        });
  return changed as C;
}

function changedMap(
  functions: ReadonlyMap<string, FunctionCapability>,
  change: (each: FunctionCapability) => FunctionCapability,
): ReadonlyMap<string, FunctionCapability> {
  return new Map([...functions].map(([name, each]) => [name, change(each)] as const));
}

/** A call that the embedder's rules do not allow. */
export function refusal(call: FunctionCall, reason: string): GuestException {
  return new GuestException("PermissionError", `${call.name}() ${reason}`);
}

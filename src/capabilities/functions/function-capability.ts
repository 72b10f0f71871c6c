// What an embedder grants as functions: the interface behind which everything callable stands. A wrapper is another capability around
// it that changes `signature`, `limits` or `invoke`.

/** JSON Schema (2020-12, or what a schema library makes of it); only as far as signatures are made from it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A parameter of a function, as the guest sees it. */
export interface Parameter {
  /** A Python identifier, no keyword. */
  readonly name: string;
  /** Of Python, as it stands in a stub: `int`, `list[str] | None`. */
  readonly annotation: string;
  /** As inspect.Parameter: ordinary ones can be given by position or by name; `positionals` is *name, `keywords` is **name. */
  readonly kind: "ordinary" | "positionalOnly" | "keywordOnly" | "positionals" | "keywords";
  /** What is not given is left out of the arguments, unless there is a default. */
  readonly isOptional: boolean;
  /** As a Python literal, shown and used by the guest; undefined: `...`. */
  readonly defaultText?: string | undefined;
  /** A line of the docstring. */
  readonly description?: string | undefined;
}

/** What the guest sees of a function, and how it calls it. */
export interface Signature {
  /** In the order in which they can be given by position. */
  readonly parameters: readonly Parameter[];
  /** Of Python; what is awaited or iterated over, not the coroutine. */
  readonly returns: string;
  /** The docstring; "" for none. */
  readonly description: string;
  /** In async Python a call gives an awaitable; everywhere else it waits. */
  readonly isAsync: boolean;
  /** What it gives is an iterator of `returns`. */
  readonly streams: boolean;
}

/** All of one lifetime of a sandbox, for each name that the capability was granted under. Infinity is no limit. */
export interface FunctionLimits {
  /** How many calls. */
  readonly calls: number;
  /** How many at once; more wait for their turn. */
  readonly concurrency: number;
  /** Encoded arguments and answers, in total. */
  readonly bytes: number;
}

/** How values cross, in both directions; see docs/values.md. The interpreter's own (marshal/values.ts), which this room cannot import. */
export interface ValueOptions {
  /**
   * What a dict becomes: "maps" a Map; "objects" an object without prototype if all keys are str (none "__proto__", and none "then" of a callable), else a Map;
   * "json" as "objects", and whatever JSON does not have is refused.
   */
  readonly shape: "maps" | "objects" | "json";
  /** Cycles, and several references to one object: "refuse" (sharing makes copies towards the guest) or "keep". */
  readonly references: "refuse" | "keep";
  /** Whether a float with an integral value arrives as a PythonFloat rather than as a number. */
  readonly exactFloats: boolean;
}

/** As an embedder gives them: what is left out or undefined has its default. */
export type GivenValueOptions = { readonly [Name in keyof ValueOptions]?: ValueOptions[Name] | undefined };

/** One call. */
export interface FunctionCall {
  /** As the guest imports it: "lookup", "billing.invoice", "db.query". */
  readonly name: string;
  /** Aborted when nobody waits for the answer any more: the guest cancelled the call, or its run is over. */
  readonly signal: AbortSignal;
  /** The host's clock: milliseconds since the epoch. */
  nowMs(): number;
  /** Tells the embedder that code around the function has failed, where the guest is not to notice: an event of type "fault". */
  fault?(error: unknown): void;
}

/** By parameter name, without prototype. Guest-made texts are no names in here except where a parameter of kind `keywords` is. */
export type Arguments = Readonly<Record<string, unknown>>;

/** A function that can be granted, as hostFunction and the words of authority make it; an embedder may make its own. */
export interface FunctionCapability {
  readonly kind: "function";
  readonly signature: Signature;
  readonly limits: FunctionLimits;
  readonly values: ValueOptions;
  /**
   * Gives the answer, a promise of it, or for a function that streams (or gives) an iterator or async iterator. Throws GuestException
   * for what the guest is to see; the guest is told of everything else only that the function failed.
   */
  invoke(given: Arguments, call: FunctionCall): unknown;
}

/** A class instance offered with a list of what of it the guest can use. */
export interface ObjectCapability {
  readonly kind: "object";
  /** What the guest sees as its class. */
  readonly name: string;
  /** The docstring of the class; "" for none. */
  readonly description: string;
  /** By the name that the guest calls. */
  readonly methods: ReadonlyMap<string, FunctionCapability>;
  /** Read anew at each use; the functions take no arguments. */
  readonly attributes: ReadonlyMap<string, FunctionCapability>;
  /** What the host has for it when the guest passes it back. */
  readonly target: object;
}

/** Name in the guest's module -> what is there; nested: a submodule. */
export type FunctionGrants = {
  readonly [name: string]: FunctionCapability | ObjectCapability | FunctionGrants;
};

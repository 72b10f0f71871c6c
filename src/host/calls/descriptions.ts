// What the guest is told of functions and objects, from which it makes its own (guest/sandboa/: _host_functions.py, _host_things.py and
// _host_module.py): plain lists of texts and numbers.
import type { Parameter } from "../../capabilities/functions/function-capability.ts";
import type { FunctionTarget } from "./function-target.ts";
import type { ObjectTarget, Target } from "./target.ts";

export type Description = readonly unknown[];

/** ("function", name, doc, params, returns, is_async, streams, number) */
export function describeFunction(name: string, { capability, number }: FunctionTarget): Description {
  const { parameters, returns, isAsync, streams } = capability.signature;
  const doc = docOf(capability.signature.description, parameters);
  return ["function", name, doc, parameters.map(describeParameter), returns, isAsync, streams, number];
}

/** ("object", class name, doc, number, methods, attributes) */
export function describeObject({ number, capability, methods, attributes }: ObjectTarget): Description {
  return [
    "object",
    capability.name,
    capability.description,
    number,
    methods.map((method) => describeFunction(lastOf(method.name), method)),
    attributes.map((attribute) => describeFunction(lastOf(attribute.name), attribute)),
  ];
}

/** A list of (name, description), where a module's description is ("module", name, items). `granted`: with their full names. */
export function describeGrants(granted: Iterable<readonly [string, Target]>): Description {
  const root: Module = { items: new Map() };
  for (const [fullName, target] of granted) {
    const path = fullName.split(".");
    const name = path.pop() ?? "";
    let module = root;
    for (const part of path) {
      const inner = module.items.get(part) ?? { items: new Map() };
      module.items.set(part, inner);
      if ("items" in inner) module = inner;
    }
    module.items.set(name, target);
  }
  return describeItems(root);
}

interface Module {
  readonly items: Map<string, Module | Target>;
}

function describeItems(module: Module): Description {
  return [...module.items].map(([name, item]) => {
    if ("items" in item) return [name, ["module", name, describeItems(item)]];
    if (item.kind === "function") return [name, describeFunction(name, item)];
    return [name, item.kind === "object" ? describeObject(item) : null];
  });
}

function describeParameter({ name, annotation, kind, defaultText, isOptional }: Parameter): Description {
  return [name, annotation, kind, defaultText ?? null, isOptional];
}

function docOf(description: string, parameters: readonly Parameter[]): string {
  const described = parameters.filter((parameter) => parameter.description);
  if (described.length === 0) return description;
  const lines = described.map(({ name, description: text }) => `    ${name}: ${text}`);
  return [...(description === "" ? [] : [description, ""]), "Arguments:", ...lines].join("\n");
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

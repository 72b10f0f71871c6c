// Whether a signature can be written down in Python: functions that an embedder made by hand come with their own.
import { OptionError } from "../../errors/option-error.ts";
import { isPythonIdentifier } from "../../errors/python-identifier.ts";
import { checkAnnotation } from "./annotation-text.ts";
import type { FunctionCapability, Parameter } from "./function-capability.ts";
import { mostParameters } from "./signature-of-schema.ts";

const kinds: readonly unknown[] = ["positionalOnly", "ordinary", "positionals", "keywordOnly", "keywords"];
const onlyOnce: readonly unknown[] = ["positionals", "keywords"];

/** Throws OptionError. */
export function checkSignature(option: string, { signature, limits, values }: FunctionCapability): void {
  if (typeof signature !== "object" || !Array.isArray(signature?.parameters))
    throw new OptionError(option, signature, "a capability with a signature");
  if (typeof limits !== "object" || typeof values !== "object")
    throw new OptionError(option, limits, "a capability with limits and values");
  const parameters: readonly Parameter[] = signature.parameters;
  if (parameters.length > mostParameters)
    throw new OptionError(option, `${parameters.length} parameters`, `at most ${mostParameters} parameters`);
  const names = new Set<string>();
  let before: Parameter | undefined;
  for (const parameter of parameters) {
    const { name, annotation, kind, defaultText } = parameter;
    if (!isPythonIdentifier(name) || names.has(name))
      throw new OptionError(`${option} parameters`, name, "different identifiers of Python");
    names.add(name);
    checkAnnotation(`${option} parameters ${name}`, annotation);
    if (!kinds.includes(kind) || isMisplaced(parameter, before))
      throw new OptionError(`${option} parameters ${name}`, kind, "parameters in an order that Python has");
    if (defaultText !== undefined && (typeof defaultText !== "string" || /[\n\r]/.test(defaultText)))
      throw new OptionError(`${option} parameters ${name}`, defaultText, "a literal of Python");
    before = parameter;
  }
  checkAnnotation(`${option} returns`, signature.returns);
  if (typeof signature.description !== "string")
    throw new OptionError(`${option} description`, signature.description, "a string");
}

/** By kind, and no required one by position after an optional one. */
function isMisplaced(parameter: Parameter, before: Parameter | undefined): boolean {
  if (before === undefined) return false;
  const [rank, rankBefore] = [kinds.indexOf(parameter.kind), kinds.indexOf(before.kind)];
  if (rank < rankBefore || (rank === rankBefore && onlyOnce.includes(parameter.kind))) return true;
  return rank <= kinds.indexOf("ordinary") && before.isOptional && !parameter.isOptional;
}

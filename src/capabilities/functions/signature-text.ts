// A signature as Python writes it.
import type { Parameter, Signature } from "./function-capability.ts";

const order: readonly Parameter["kind"][] = [
  "positionalOnly",
  "ordinary",
  "positionals",
  "keywordOnly",
  "keywords",
];

/** `async def name(id: str, *, n: int = 3) -> Any`, without the colon. `isMethod` puts self before. */
export function signatureText(name: string, signature: Signature, isMethod = false): string {
  const { isAsync, streams } = signature;
  const parts = partsOf(signature.parameters);
  const all = isMethod ? [selfName(signature.parameters), ...parts] : parts;
  return `${isAsync && !streams ? "async def" : "def"} ${name}(${all.join(", ")}) -> ${returnText(signature)}`;
}

/** What a call gives, or is awaited for. */
export function returnText({ returns, streams, isAsync }: Signature): string {
  if (!streams) return returns;
  return isAsync ? `AsyncIterator[${returns}]` : `Iterator[${returns}]`;
}

function partsOf(parameters: readonly Parameter[]): string[] {
  const sorted = order.flatMap((kind) => parameters.filter((parameter) => parameter.kind === kind));
  const parts: string[] = [];
  for (const [at, parameter] of sorted.entries()) {
    const before = sorted[at - 1]?.kind;
    const { kind } = parameter;
    if (kind === "keywordOnly" && before !== "keywordOnly" && before !== "positionals") parts.push("*");
    parts.push(parameterText(parameter));
    if (kind === "positionalOnly" && sorted[at + 1]?.kind !== "positionalOnly") parts.push("/");
  }
  return parts;
}

function parameterText({ name, annotation, kind, isOptional, defaultText }: Parameter): string {
  if (kind === "positionals") return `*${name}: ${annotation}`;
  if (kind === "keywords") return `**${name}: ${annotation}`;
  return `${name}: ${annotation}${isOptional ? ` = ${defaultText ?? "..."}` : ""}`;
}

function selfName(parameters: readonly Parameter[]): string {
  let name = "self";
  while (parameters.some((parameter) => parameter.name === name)) name = `_${name}`;
  return name;
}

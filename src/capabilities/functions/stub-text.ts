// Everything that a guest can call and open, as Python stub text (.pyi): for people, type checkers and models. All names and annotations
// were checked before; what is left, descriptions, can only become text of docstrings and comments.
import { importsFor } from "./annotation-text.ts";
import { type Callable, isCallable } from "./around-function.ts";
import type { FunctionCapability, ObjectCapability, Parameter } from "./function-capability.ts";
import type { FunctionGroup } from "./grants-option.ts";
import { docstring } from "./python-text.ts";
import { returnText, signatureText } from "./signature-text.ts";

export interface DescribedFile {
  /** As the guest opens it. */
  readonly path: string;
  readonly description: string;
}

/** One part for each module, with its name in a comment; then the files, in comments. */
export function stubText(functions: FunctionGroup, files: readonly DescribedFile[] = []): string {
  const parts = [...moduleTexts("host", functions), ...filesText(files)];
  return parts.length === 0 ? "# Nothing of the host can be called or opened.\n" : `${parts.join("\n\n")}\n`;
}

function moduleTexts(name: string, group: FunctionGroup): string[] {
  const entries = [...group];
  const here = entries.filter((entry): entry is [string, Callable] => isCallable(entry[1]));
  const below = entries.filter((entry): entry is [string, FunctionGroup] => !isCallable(entry[1]));
  const own = here.length === 0 ? [] : [moduleText(name, here)];
  return [...own, ...below.flatMap(([inner, members]) => moduleTexts(`${name}.${inner}`, members))];
}

function moduleText(name: string, members: readonly (readonly [string, Callable])[]): string {
  const names = new Set(members.map(([member]) => member));
  const classes = new Map<ObjectCapability, string>();
  const texts = members.map(([member, value]) =>
    value.kind === "function" ? functionText(member, value) : objectText(member, value, names, classes),
  );
  const functions = members.flatMap(([, value]) => functionsOf(value));
  const annotations = functions.flatMap(({ signature }) => [
    returnText(signature),
    ...signature.parameters.map(({ annotation }) => annotation),
  ]);
  const isAsync = functions.some(({ signature }) => signature.isAsync && !signature.streams);
  return [
    `# ${name}`,
    ...(isAsync
      ? ["# async def: awaited in async code; anywhere else it is called without await, and waits."]
      : []),
    ...importsFor(annotations),
    "",
    texts.join("\n\n"),
  ].join("\n");
}

function functionsOf(value: Callable): readonly FunctionCapability[] {
  return value.kind === "function" ? [value] : [...value.methods.values(), ...value.attributes.values()];
}

function functionText(name: string, { signature }: FunctionCapability, indent = ""): string {
  const head = `${indent}${signatureText(name, signature, indent !== "")}:`;
  const lines = docstring(description(signature.description, signature.parameters), `${indent}    `);
  return lines.length === 0 ? `${head} ...` : [head, ...lines].join("\n");
}

/** What the function does, and under it what each parameter is. */
function description(text: string, parameters: readonly Parameter[]): string {
  const described = parameters
    .filter(({ description }) => description !== undefined && description.trim() !== "")
    .map(({ name, description = "" }) => `${name}: ${description.trim().replaceAll(/\s*\n\s*/g, "\n    ")}`);
  return [text.trim(), described.join("\n")].filter((part) => part !== "").join("\n\n");
}

/** The class once, for the first name of the object. */
function objectText(
  name: string,
  value: ObjectCapability,
  names: Set<string>,
  classes: Map<ObjectCapability, string>,
): string {
  const known = classes.get(value);
  if (known !== undefined) return `${name}: ${known}`;
  const className = freeName(value.name, names);
  names.add(className);
  classes.set(value, className);
  return `${classText(className, value)}\n\n${name}: ${className}`;
}

function freeName(wanted: string, names: ReadonlySet<string>): string {
  let name = wanted;
  for (let count = 2; names.has(name); count += 1) name = `${wanted}_${count}`;
  return name;
}

function classText(name: string, value: ObjectCapability): string {
  const attributes = [...value.attributes].map(([attribute, { signature }]) => {
    const lines = docstring(signature.description, "        ");
    const head = `    @property\n    def ${attribute}(self) -> ${returnText(signature)}:`;
    return lines.length === 0 ? `${head} ...` : [head, ...lines].join("\n");
  });
  const methods = [...value.methods].map(([method, each]) => functionText(method, each, "    "));
  const lines = [...docstring(value.description, "    "), ...attributes, ...methods];
  return lines.length === 0 ? `class ${name}: ...` : [`class ${name}:`, ...lines].join("\n");
}

function filesText(files: readonly DescribedFile[]): string[] {
  if (files.length === 0) return [];
  const lines = files.map(({ path, description }) => `#   ${plainLine(path)}: ${plainLine(description)}`);
  return [["# Files that can be opened", ...lines].join("\n")];
}

/** Nothing that ends a comment. */
function plainLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ").trim();
}

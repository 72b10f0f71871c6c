// What an embedder may write as an annotation: names, subscripts, unions and literals. It becomes part of Python source, so anything
// else is refused.
import { OptionError } from "../../errors/option-error.ts";
import { isPythonIdentifier } from "../../errors/python-identifier.ts";

const mostCharacters = 2000;
const mostDepth = 50;

/** The text, trimmed. Throws OptionError. */
export function checkAnnotation(option: string, text: unknown): string {
  if (typeof text === "string" && isAnnotation(text)) return text.trim();
  throw new OptionError(option, text, 'an annotation of Python such as "list[str] | None"');
}

function isAnnotation(text: string): boolean {
  if (text.length > mostCharacters || /[\n\r]/.test(text)) return false;
  const found = tokenize(text.trim());
  if (found === undefined || found.length === 0) return false;
  const reader = new Reader(found);
  return reader.union(0) && reader.atEnd;
}

interface Token {
  readonly kind: "name" | "literal" | "mark";
  readonly text: string;
}

function tokenize(text: string): Token[] | undefined {
  const found: Token[] = [];
  // Here and not above: with so many kinds of letters the pattern takes most of a millisecond of a start that has no use for it.
  const pattern =
    /\s*(?:([\p{XID_Start}_]\p{XID_Continue}*)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(-?\d+)|(\.\.\.|[.,|[\]]))/uy;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const [, name, string, number, mark = ""] = match;
    if (name !== undefined) {
      if (!isPythonIdentifier(name) && !["None", "True", "False"].includes(name)) return undefined;
      found.push({ kind: "name", text: name });
    } else if (string !== undefined || number !== undefined)
      found.push({ kind: "literal", text: string ?? "" });
    else found.push({ kind: "mark", text: mark });
  }
  return found;
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  union(depth: number): boolean {
    do if (!this.#one(depth)) return false;
    while (this.#take("|"));
    return true;
  }

  #one(depth: number): boolean {
    if (depth > mostDepth) return false;
    if (this.#take("...")) return true;
    // The arguments of a Callable.
    if (this.#take("[")) return this.#take("]") || (this.#list(depth + 1) && this.#take("]"));
    if (this.#takeKind("literal")) return true;
    do if (!this.#takeKind("name")) return false;
    while (this.#take("."));
    return !this.#take("[") || (this.#list(depth + 1) && this.#take("]"));
  }

  #list(depth: number): boolean {
    do if (!this.union(depth)) return false;
    while (this.#take(","));
    return true;
  }

  #take(mark: string): boolean {
    const token = this.#tokens[this.#at];
    const found = token?.kind === "mark" && token.text === mark;
    if (found) this.#at += 1;
    return found;
  }

  #takeKind(kind: Token["kind"]): boolean {
    const found = this.#tokens[this.#at]?.kind === kind;
    if (found) this.#at += 1;
    return found;
  }
}

const typingNames = [
  ...["Annotated", "Any", "AsyncIterable", "AsyncIterator", "Awaitable", "Callable", "Iterable", "Iterator"],
  ...["Literal", "Mapping", "NamedTuple", "Never", "Optional", "Sequence", "TypedDict", "Union"],
];
const modules = ["collections.abc", "datetime", "decimal", "enum", "fractions", "uuid"];

/** The import lines that these annotations need. */
export function importsFor(annotations: Iterable<string>): string[] {
  const names = new Set<string>();
  const dotted = new Set<string>();
  for (const annotation of annotations) {
    const plain = annotation.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
    for (const [path] of plain.matchAll(/[\p{XID_Start}_][\p{XID_Continue}.]*/gu)) {
      if (typingNames.includes(path)) names.add(path);
      const module = modules.find((name) => path.startsWith(`${name}.`));
      if (module !== undefined) dotted.add(module);
    }
  }
  const lines = [...dotted].sort().map((name) => `import ${name}`);
  return names.size === 0 ? lines : [...lines, `from typing import ${[...names].sort().join(", ")}`];
}

// Which texts are names in Python: what is written into Python source, or becomes an attribute, is checked against this.

/** keyword.kwlist of CPython 3.14, and __debug__, which nothing can be assigned to. */
const reserved: ReadonlySet<string> = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global if import in is " +
    "lambda nonlocal not or pass raise return try while with yield __debug__"
  ).split(" "),
);

const mostCharacters = 200;

/** An identifier that is no keyword, in the form (NFKC) that Python itself gives to it (lexical analysis, "Names"). */
export function isPythonIdentifier(text: unknown): text is string {
  return (
    typeof text === "string" &&
    text.length <= mostCharacters &&
    /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(text) &&
    text.normalize("NFKC") === text &&
    !reserved.has(text)
  );
}

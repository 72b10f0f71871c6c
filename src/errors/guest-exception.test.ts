// The types of GuestException against CPython's own exceptions and keywords.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { GuestException, guestExceptionTypes } from "./guest-exception.ts";
import { OptionError } from "./option-error.ts";
import { isPythonIdentifier } from "./python-identifier.ts";

function python(expression: string, input: unknown): unknown {
  const source = `import builtins, json, keyword, sys\ngiven = json.load(sys.stdin)\nprint(json.dumps(${expression}))`;
  return JSON.parse(
    execFileSync("python3", ["-c", source], { input: JSON.stringify(input), encoding: "utf8" }),
  );
}

/** Newer than the judge may be. */
const newer = ["PythonFinalizationError"];

test("the list has every builtin exception that can be made of a message, and no other", () => {
  const usable = python(
    `sorted(name for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, Exception)
       and not issubclass(one, (StopIteration, StopAsyncIteration, ExceptionGroup))
       and not (issubclass(one, UnicodeError) and one is not UnicodeError))`,
    null,
  ) as string[];
  expect([...guestExceptionTypes].filter((name) => !newer.includes(name)).sort()).toEqual(
    usable.filter((name) => !newer.includes(name)),
  );
  const made = python(
    `[name for name in given if str(getattr(builtins, name)("text")) not in ("text", "'text'")]`,
    [...guestExceptionTypes.filter((name) => !newer.includes(name))],
  );
  expect(made).toEqual([]);
});

test("other names are the embedder's own; what ends programs and loops is refused", () => {
  expect(new GuestException("ValueError", "m").qualifiedType).toBe("ValueError");
  expect(new GuestException("QuotaError", "m").qualifiedType).toBe("host.QuotaError");
  expect(new GuestException("KeyError", "m", { cause: 1 })).toMatchObject({
    message: "m",
    cause: 1,
    type: "KeyError",
  });
  const bad = ["SystemExit", "KeyboardInterrupt", "BaseException", "StopIteration", "UnicodeDecodeError"];
  for (const type of [...bad, "", "not a name", "class", "_Private", "a.b", 1 as unknown as string])
    expect(() => new GuestException(type, "m"), String(type)).toThrow(OptionError);
  expect(() => new GuestException("ValueError", 1 as unknown as string)).toThrow(OptionError);
});

test("identifiers are those of Python, as Python itself writes them", () => {
  const texts = [
    "a",
    "_a1",
    "é",
    "名前",
    "1a",
    "a-b",
    "",
    "a b",
    "a\n",
    "ﬁ",
    "µ",
    "℘",
    "·a",
    "a·",
    "𝐱",
    "😀",
    "match",
    "print",
  ];
  const expected = python(
    `[t.isidentifier() and not keyword.iskeyword(t) and __import__("unicodedata").normalize("NFKC", t) == t for t in given]`,
    texts,
  );
  expect(texts.map((text) => isPythonIdentifier(text))).toEqual(expected);
  const keywords = python("keyword.kwlist", null) as string[];
  expect(keywords.filter((text) => isPythonIdentifier(text))).toEqual([]);
  expect(isPythonIdentifier("__debug__")).toBe(false);
});

// The text of a program's bytes, in the encoding that it names in one of its first two lines (PEP 263), as far as it is one of a few.

/** In lower case, with `-` for `_`, as Python compares them. */
const utf8: readonly string[] = ["utf-8", "utf8", "utf-8-sig"];
const cp1252: readonly string[] = ["cp1252", "windows-1252"];
const latin1: readonly string[] = ["latin-1", "latin1", "iso-8859-1", "iso8859-1", "l1"];
const ascii: readonly string[] = ["ascii", "us-ascii"];
const byteOrderMark = "\u00ef\u00bb\u00bf";

/** The expression of PEP 263. A second line counts only below a first one that is blank or a comment. */
const named = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/;
const blank = /^[ \t\f]*(?:#.*)?$/;

/** What cp1252 has from 0x80 to 0x9f, where Latin-1 has control characters. */
const of1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

/** Throws an Error whose message says why there is none. A byte order mark stays: the guest drops it. */
export function programText(bytes: Uint8Array): string {
  const name = encodingOf(bytes) ?? "utf-8";
  if (utf8.includes(name)) return utf8Text(bytes);
  // Not by TextDecoder: to that all of these are windows-1252, and in Node 20 that is Latin-1.
  const text = Buffer.from(bytes).toString("latin1");
  if (latin1.includes(name)) return text;
  if (cp1252.includes(name))
    return text.replace(/[\u0080-\u009f]/g, (control) => of1252[control.charCodeAt(0) - 0x80] ?? "");
  if (!ascii.includes(name))
    throw new Error(`its encoding ${name} is not one of UTF-8, ASCII, Latin-1 and cp1252`);
  if (bytes.some((byte) => byte > 127)) throw new Error("it is not ASCII, as it says");
  return text;
}

function utf8Text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("it is not UTF-8, and names no other encoding in its first two lines (PEP 263)");
  }
}

function encodingOf(bytes: Uint8Array): string | undefined {
  // Longer than two lines that people write; what decides is ASCII.
  const start = Buffer.from(bytes.subarray(0, 4096)).toString("latin1");
  if (start.startsWith(byteOrderMark)) return "utf-8";
  const [first = "", second = ""] = start.split(/\r\n?|\n/, 2);
  const found = named.exec(first) ?? (blank.test(first) ? named.exec(second) : null);
  return found?.[1]?.toLowerCase().replaceAll("_", "-");
}

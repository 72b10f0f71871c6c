// The words of the command line as they were given. Node has them as text already, where U+FFFD stands for whatever is not UTF-8; the
// system still has their bytes. As in Python each such byte is a lone surrogate then (PEP 383).
import { readFileSync } from "node:fs";

const replacement = "\ufffd";

/** One character of UTF-8 or one other byte, in a text of which each character is a byte. */
const characters =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/** Like process.argv. Where the system does not tell bytes, it is that. */
export function givenWords(): readonly string[] {
  const { argv } = process;
  if (!argv.some((word) => word.includes(replacement))) return argv;
  // Before ours stand Node's own options, which argv has not.
  const all = bytesOfWords().slice(-argv.length);
  return argv.map((word, index) => {
    const bytes = all[index];
    return bytes?.toString() === word ? escaped(bytes) : word;
  });
}

export function isUtf8(word: string): boolean {
  return !/[\udc80-\udcff]/u.test(word);
}

function bytesOfWords(): Buffer[] {
  let text: string;
  try {
    text = readFileSync("/proc/self/cmdline", "latin1");
  } catch {
    return [];
  }
  return text
    .replace(/\0$/, "")
    .split("\0")
    .map((word) => Buffer.from(word, "latin1"));
}

function escaped(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replace(characters, (found) =>
      found.length > 1
        ? Buffer.from(found, "latin1").toString()
        : String.fromCharCode(0xdc00 + found.charCodeAt(0)),
    );
}

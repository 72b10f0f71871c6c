// UTF-8 with lone surrogates kept, as Python's "surrogatepass" does (WTF-8): JavaScript's own coders would replace them.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Up to this many bytes a loop is quicker than a call of TextDecoder, which takes some 130 ns (measured on Node 20). */
const shortTextBytes = 12;

/** Writes `text` if it is all ASCII; false, and undefined bytes behind `at`, when it is not. */
export function writeAscii(text: string, target: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    target[at + i] = code;
  }
  return true;
}

/** How many bytes `writeText` will write. */
export function textBytes(text: string): number {
  let size = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    size += code < 0x800 ? 1 : 2;
    // A pair takes four bytes, so its second half adds nothing.
    if (code >= 0xd800 && code <= 0xdbff && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) index += 1;
  }
  return size;
}

export function writeText(text: string, target: Uint8Array, at: number): void {
  if (text.isWellFormed()) {
    encoder.encodeInto(text, target.subarray(at));
    return;
  }
  let end = at;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) {
      target[end++] = 0xed;
      target[end++] = 0x80 | ((code >> 6) & 0x3f);
      target[end++] = 0x80 | (code & 0x3f);
    } else end += encoder.encodeInto(character, target.subarray(end)).written;
  }
}

/** Undefined when a byte is not ASCII. */
export function decodeAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= shortTextBytes) {
    let text = "";
    for (let at = start; at < end; at++) {
      const code = bytes[at] ?? 0;
      if (code > 0x7f) return undefined;
      text += String.fromCharCode(code);
    }
    return text;
  }
  const text = decodeText(bytes, start, end);
  // Whatever takes more than one byte takes more bytes than UTF-16 units.
  return text?.length === end - start ? text : undefined;
}

/** Undefined when the bytes are not UTF-8, which surrogates are not. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** The same with surrogates; two that make a pair become one character. */
export function decodeWithSurrogates(bytes: Uint8Array): string | undefined {
  const parts: string[] = [];
  let plain = 0;
  try {
    for (let at = 0; at + 2 < bytes.length; at++) {
      const second = bytes[at + 1] ?? 0;
      const third = bytes[at + 2] ?? 0;
      if (bytes[at] !== 0xed || second < 0xa0 || second > 0xbf || (third & 0xc0) !== 0x80) continue;
      parts.push(decoder.decode(bytes.subarray(plain, at)));
      parts.push(String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f)));
      at += 2;
      plain = at + 1;
    }
    parts.push(decoder.decode(bytes.subarray(plain)));
    return parts.join("");
  } catch {
    return undefined;
  }
}

// Text of an untrusted program on its way to a person's terminal: control characters that move the cursor, change colours or
// hide text are shown as escapes.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** `oneLine` also shows line breaks and tabs as escapes. */
export function printable(text: string, oneLine: boolean): string {
  const shown = text.replace(controls, escaped);
  return oneLine ? shown.replace(/[\n\t]/g, escaped) : shown;
}

/** What UTF-8 has no bytes for, as Python shows it on standard error ("backslashreplace"). */
export function encodable(text: string): string {
  return text.replace(/\p{Surrogate}/gu, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

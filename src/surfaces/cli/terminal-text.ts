// What a program writes to a terminal, as text for a person: a character may come in several pieces.
import { printable } from "./printable.ts";

export class TerminalText {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** The text that is whole by now. */
  next(bytes: Uint8Array): string {
    return printable(this.#decoder.decode(bytes, { stream: true }), false);
  }

  /** What is left of a character that never became whole. */
  rest(): string {
    return printable(this.#decoder.decode(), false);
  }
}

// How far a transfer in pieces comes.
import { expect, test } from "vitest";
import { KernelError } from "../../kernel/kernel-error.ts";
import { inPieces } from "./in-pieces.ts";

/** What each piece is answered with: how many bytes, or a refusal. */
function moved(
  bytes: number,
  answers: readonly (number | Error | KernelError)[],
  interruptedAfter = 99,
): { readonly result: number; readonly pieces: string[] } {
  const pieces: string[] = [];
  const move = (piece: Uint8Array, done: number): number => {
    pieces.push(`${done}+${piece.length}`);
    const answer = answers[pieces.length - 1] ?? piece.length;
    if (typeof answer === "number") return answer;
    throw answer;
  };
  const result = inPieces(new Uint8Array(bytes), 10, move, () => pieces.length >= interruptedAfter);
  return { result, pieces };
}
const refused = new KernelError("ENOSPC");

test.each<[name: string, given: Parameters<typeof moved>, result: number, pieces: string[]]>([
  ["none", [0, []], 0, ["0+0"]],
  ["one", [10, []], 10, ["0+10"]],
  ["several", [25, []], 25, ["0+10", "10+10", "20+5"]],
  ["until one is short", [25, [10, 4]], 14, ["0+10", "10+10"]],
  ["until there is nothing more", [25, [10, 0]], 10, ["0+10", "10+10"]],
  ["until one is refused", [25, [10, refused]], 10, ["0+10", "10+10"]],
  ["until there is a signal", [25, [], 2], 20, ["0+10", "10+10"]],
])("%s", (_name, given, result, pieces) => {
  expect(moved(...given)).toEqual({ result, pieces });
});

test("what refuses the first piece, and what is no refusal, is thrown", () => {
  expect(() => moved(25, [refused])).toThrow(expect.objectContaining({ name: "ENOSPC" }));
  expect(() => moved(25, [10, new Error("the end")])).toThrow("the end");
});

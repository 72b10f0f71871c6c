// A run whose guest cannot wait: its coroutines wait for the host, nothing of it is on the stack, and it is gone on with later.
import { decodeMarshal } from "../../interpreter/marshal/decode.ts";
import { encodeMarshal } from "../../interpreter/marshal/encode.ts";
import type { SessionReport } from "../meters.ts";

/** Longer than what a runner says that it waits. */
const mostAnswerBytes = 256;

export const resumeRequest: Uint8Array = encodeMarshal({ action: "resume" }, { maxBytes: 64 });

/** How long the guest itself would wait at most; undefined for a run that is over. The answer is the guest's, and may be anything. */
export function waitOf({ outcome }: SessionReport): { readonly ms: number } | undefined {
  if (outcome.kind !== "answer" || outcome.bytes.length > mostAnswerBytes) return undefined;
  try {
    const answer = decodeMarshal(outcome.bytes, { maxItems: 64 });
    if (!(answer instanceof Map) || answer.get("end") !== "waiting") return undefined;
    const ms = answer.get("timer");
    return { ms: typeof ms === "number" && ms >= 0 ? ms : Number.POSITIVE_INFINITY };
  } catch {
    return undefined;
  }
}

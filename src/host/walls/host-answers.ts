// The host's side of granted files when the guest is in another process, which has no descriptor of its own: each use is a question,
// and the grant is enforced here as well as there.
import { GrantedHostFile } from "../../filesystems/host-file.ts";
import { KernelError } from "../../kernel/kernel-error.ts";
import { createHostFile, openHostFile } from "../../platform/node/files/host-files.ts";
import { hostFileAt, type SandboxPlan } from "../plan.ts";
import { grantOf } from "../world.ts";
import type { FileQuestion } from "./process-protocol.ts";
import { maxTransferBytes } from "./transfer-bytes.ts";

interface HostAnswer {
  /** A count or a size, or a negative errno. */
  readonly value: number;
  readonly bytes?: Uint8Array;
}

/** Throws only when the question is about nothing that was granted. */
export function answerFileQuestion(
  plan: SandboxPlan,
  question: Exclude<FileQuestion, { operation: "input" }>,
  content: Uint8Array,
): HostAnswer {
  const place = hostFileAt(plan, question.place);
  const file = (): GrantedHostFile => {
    if (place.ticket.fd === undefined) throw new RangeError("a question about a file that was not made");
    return new GrantedHostFile(openHostFile(place.ticket.fd), grantOf(place));
  };
  try {
    switch (question.operation) {
      case "create":
        createHostFile(place.ticket, place.mode);
        return { value: 0 };
      case "size":
        return { value: file().size() };
      case "sync":
        file().sync();
        return { value: 0 };
      case "truncate":
        file().truncate(question.position);
        return { value: 0 };
      case "write":
        return { value: file().write(content, question.position) };
      case "read": {
        const target = new Uint8Array(Math.min(question.length, maxTransferBytes));
        const value = file().read(target, question.position);
        return { value, bytes: target.subarray(0, value) };
      }
    }
  } catch (error) {
    if (error instanceof KernelError) return { value: -error.errno };
    throw error;
  }
}

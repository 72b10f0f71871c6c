// What the two sides of a wall say to each other. The inside's TypeScript is trusted as far as the wall is; `outcome` bytes and
// output are the guest's. Requests are answered in the order they were sent.
import type { HostFolderTicket } from "../../filesystems/host-folder.ts";
import type { Outcome } from "../../interpreter/interpreter.ts";
import type { RawDenial } from "../denials/raw-denial.ts";
import type { FaultEvent } from "../events.ts";
import type { SessionReport } from "../meters.ts";
import type { SandboxPlan } from "../plan.ts";
import type { FilesQuestion, FilesReply } from "../results/results.ts";
import type { TreeQuestion, TreeReply } from "../trees/tree-questions.ts";

/** What most guests never need. */
export type LatePart = "library" | "rest";

export interface WorkerStart {
  readonly module: WebAssembly.Module;
  /** The encoded image, and what SharedBytes shares. */
  readonly image: Uint8Array;
  readonly library: SharedArrayBuffer;
  /** What the module lacks, likewise. */
  readonly rest: SharedArrayBuffer;
  /** The output ring. */
  readonly ring: SharedArrayBuffer;
  /** The words of Control. */
  readonly control: SharedArrayBuffer;
  /** Where frames of calls and their answers lie, as far as they fit. */
  readonly calls: SharedArrayBuffer;
  /** The port where replies about granted trees come in, each with the number of its question. */
  readonly replies: object;
}

/** To the inside of a wall. */
export type Request =
  | {
      readonly type: "begin";
      readonly id: number;
      readonly plan: SandboxPlan;
      /** Otherwise it is not answered. */
      readonly isAwaited: boolean;
      /** To a thread: granted folders, by place, that it can use itself. */
      readonly folders?: ReadonlyMap<number, HostFolderTicket> | undefined;
    }
  | { readonly type: "run"; readonly id: number; readonly request: Uint8Array }
  /** Between runs: the host looks at the guest's files. */
  | { readonly type: "look"; readonly id: number; readonly question: FilesQuestion }
  | { readonly type: "reset"; readonly id: number };

/** From the inside of a wall. */
export type Answer =
  /** The interpreter is pristine and waits; `thread` names the thread that runs it, where threads have names. */
  | { readonly type: "ready"; readonly thread: string | undefined }
  /** The interpreter could not even be set up. */
  | { readonly type: "failed"; readonly outcome: Outcome }
  | { readonly type: "begun"; readonly id: number; readonly failure: Outcome | undefined }
  | { readonly type: "done"; readonly id: number; readonly report: SessionReport }
  | { readonly type: "seen"; readonly id: number; readonly reply: FilesReply }
  | { readonly type: "reset"; readonly id: number };

/** Through the port for replies. */
export interface NumberedReply {
  readonly question: number;
  readonly reply: TreeReply;
}

/** About a granted tree. What is written lies at the start of the shared piece, and what is read is put there; the inside makes it when it first needs one. */
export interface NumberedQuestion {
  readonly question: number;
  readonly asked: TreeQuestion;
  readonly writtenBytes: number;
  readonly piece: SharedArrayBuffer | undefined;
}

/** Likewise: a file that was only read and is needed no more. Nobody waits for that, so nobody is told that it is there. */
export interface ClosedFile {
  readonly closed: number;
}

/** In place of the bytes of a call's frame. */
export const treeMark = -1;

/** The same for an answer to a call that is larger than the memory that its frame came in. */
export interface NumberedAnswer {
  readonly question: number;
  readonly answer: Uint8Array;
}

export type ToWorker = { readonly type: "start"; readonly start: WorkerStart } | Request;

export type FromWorker =
  | Answer
  /** The guest was refused something. */
  | { readonly type: "denial"; readonly denial: RawDenial }
  /** A folder that the thread uses itself has failed. */
  | { readonly type: "fault"; readonly fault: FaultEvent }
  /** There is output in the ring. */
  | { readonly type: "output" }
  /** The guest makes the file that was granted at this place; the thread waits for the answer in its control words. */
  | { readonly type: "create"; readonly place: number; readonly question: number }
  /** The guest reads the host's standard input into `target`; the reply is the number of bytes. */
  | { readonly type: "input"; readonly target: SharedArrayBuffer; readonly question: number }
  /**
   * The guest calls a function of the host: the frame, of so many bytes, lies at the start of the memory for calls, and the control words tell
   * its length and question. The reply is the length of the answer, which lies there then, or -1 when it comes through the port. A number is
   * what crosses fastest. `treeMark`: it asks about a granted tree; question and reply come through the port for replies.
   */
  | number
  /** The same, with a frame that does not fit. */
  | {
      readonly type: "call";
      readonly question: number;
      readonly piece: SharedArrayBuffer;
    }
  /** The guest needs what is not read yet. */
  | { readonly type: "late"; readonly part: LatePart; readonly question: number };

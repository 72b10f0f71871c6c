// Granted folders of the host, inside of a worker thread: it shares the process's descriptors, so its questions about them are answered
// in the thread itself, and the embedder's thread is not asked. Files that a lifetime leaves open are closed at its end, or with the
// thread.
import type { HostFolderTicket } from "../../../filesystems/host-folder.ts";
import { isPending } from "../../../filesystems/later.ts";
import type { OnFault } from "../../../host/events.ts";
import type { SandboxPlan } from "../../../host/plan.ts";
import type { OpenedTreeFile, TreeQuestion, TreeReply } from "../../../host/trees/tree-questions.ts";
import { TreeServer } from "../../../host/trees/tree-server.ts";
import { HostTree } from "./host-tree.ts";

/** By place of the plan. */
type Folders = ReadonlyMap<number, HostFolderTicket>;

/** Numbers of files that are open here begin behind this one; those of the host's side are smaller. */
const ownFiles = 2 ** 40;
/** Of one lifetime: a guest can fail as often as it likes, and what is told waits in the embedder's memory. */
const mostFaults = 1000;

export class LocalFolders {
  #folders: Folders = new Map();
  #server: TreeServer | undefined;
  readonly #onFault: OnFault;

  constructor(onFault: OnFault) {
    this.#onFault = onFault;
  }

  begin(folders: Folders, { places, limits }: SandboxPlan): void {
    this.end();
    this.#folders = folders;
    const served = [...folders].map(
      ([number, ticket]) =>
        [number, { guestPath: places[number]?.[0] ?? "", tree: new HostTree(ticket) }] as const,
    );
    let faults = 0;
    this.#server = new TreeServer(new Map(served), limits.openFiles, (fault) => {
      faults += 1;
      if (faults < mostFaults) this.#onFault(fault);
      if (faults === mostFaults)
        this.#onFault({ ...fault, error: new Error("too many faults: no more are told") });
    });
  }

  end(): void {
    void this.#server?.end();
    this.#server = undefined;
    this.#folders = new Map();
  }

  /** As the host is to be asked what is for it. Throws KernelError. */
  forHost(question: TreeQuestion): TreeQuestion {
    if (question.operation !== "lock" || !("file" in question.of) || this.#server === undefined)
      return question;
    const { file } = question.of;
    return file > ownFiles
      ? { ...question, of: { hostFile: this.#server.hostFile(file - ownFiles) } }
      : question;
  }

  /** Undefined: the question is for the host. */
  answer(question: TreeQuestion, bytes: Uint8Array | undefined): TreeReply | undefined {
    // Locks are between sandboxes.
    if (question.operation === "lock") return undefined;
    const isOwn = "place" in question ? this.#folders.has(question.place) : question.file > ownFiles;
    if (!isOwn || this.#server === undefined) return undefined;
    const asked =
      "file" in question ? { ...question, file: question.file - ownFiles } : withoutLook(question);
    const reply = this.#server.answer(asked, question.operation === "write" ? bytes : undefined);
    if (isPending(reply)) throw new Error("a folder answers at once");
    return question.operation === "open" && reply.errno === 0
      ? { errno: 0, answer: { file: ownFiles + (reply.answer as OpenedTreeFile).file } }
      : reply;
  }
}

/** Nobody waits for a file that is asked in its own thread. */
function withoutLook(question: TreeQuestion): TreeQuestion {
  return question.operation === "open" ? { ...question, tells: false } : question;
}

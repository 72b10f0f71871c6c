// Granted folders of the host, inside of a worker thread: it shares the process's descriptors, so its questions about them are answered
// in the thread itself, and the embedder's thread is not asked. Files that a lifetime leaves open are closed at its end, or with the
// thread.
import type { HostFolderTicket } from "../../filesystems/host-folder.ts";
import { isPending } from "../../filesystems/later.ts";
import type { TreeQuestion, TreeReply } from "../../host/tree-questions.ts";
import { TreeServer } from "../../host/tree-server.ts";
import { HostTree } from "./host-tree.ts";

/** By place of the plan. */
export type Folders = ReadonlyMap<number, HostFolderTicket>;

/** Numbers of files that are open here begin behind this one; those of the host's side are smaller. */
const ownFiles = 2 ** 40;

export class LocalFolders {
  #folders: Folders = new Map();
  #server: TreeServer | undefined;

  begin(folders: Folders, mostFiles: number): void {
    this.end();
    this.#folders = folders;
    const places = [...folders].map(
      ([number, ticket]) => [number, { guestPath: "", tree: new HostTree(ticket) }] as const,
    );
    this.#server = new TreeServer(new Map(places), mostFiles, ({ error }) => {
      // A folder refuses with KernelError only: everything else is a fault of ours, and ends the guest.
      throw error;
    });
  }

  end(): void {
    void this.#server?.end();
    this.#server = undefined;
    this.#folders = new Map();
  }

  /** Undefined: the question is for the host. */
  answer(question: TreeQuestion, bytes: Uint8Array | undefined): TreeReply | undefined {
    const isOwn = "place" in question ? this.#folders.has(question.place) : question.file > ownFiles;
    if (!isOwn || this.#server === undefined) return undefined;
    const asked = "file" in question ? { ...question, file: question.file - ownFiles } : question;
    const reply = this.#server.answer(asked, question.operation === "write" ? bytes : undefined);
    if (isPending(reply)) throw new Error("a folder answers at once");
    return question.operation === "open" && reply.errno === 0
      ? { errno: 0, answer: ownFiles + (reply.answer as number) }
      : reply;
  }
}

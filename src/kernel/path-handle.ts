// A descriptor opened with O_PATH: it names a place in the tree and permits nothing else (open(2)). It keeps a link alive
// after its last name is gone, and so its target.
import { wasiFileType } from "../abi/flags.ts";
import type { Attributes, Node } from "./filesystem.ts";
import type { HostMemory } from "./host-memory.ts";
import { OpenFile, type Readiness } from "./open-file.ts";

export class PathHandle extends OpenFile {
  readonly fileType: number;
  readonly node: Node;
  readonly #memory: HostMemory;
  readonly #keptBytes: number;

  /** Throws ENOMEM. */
  constructor(node: Node, flags: number, memory: HostMemory) {
    super(flags);
    this.node = node;
    this.#memory = memory;
    this.#keptBytes = (node.kind === "link" ? node.target.length : 0) + (node.keptBytes ?? 0);
    memory.take(this.#keptBytes);
    node.keep?.();
    this.fileType = node.kind === "directory" ? wasiFileType.DIRECTORY : wasiFileType.UNKNOWN;
  }

  attributes(): Attributes {
    return this.node.attributes();
  }
  readiness(): Readiness {
    return { readable: false, writable: false, hangUp: false, error: true };
  }
  protected release(): void {
    this.node.drop?.();
    this.#memory.give(this.#keptBytes);
  }
}

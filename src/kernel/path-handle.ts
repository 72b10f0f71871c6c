// A descriptor opened with O_PATH: it names a place in the tree and permits nothing else (open(2)).
import { wasiFileType } from "../abi/flags.ts";
import type { Attributes, Node } from "./filesystem.ts";
import { OpenFile, type Readiness } from "./open-file.ts";

export class PathHandle extends OpenFile {
  readonly fileType: number;
  readonly node: Node;

  constructor(node: Node, flags: number) {
    super(flags);
    this.node = node;
    this.fileType = node.kind === "directory" ? wasiFileType.DIRECTORY : wasiFileType.UNKNOWN;
  }

  attributes(): Attributes {
    return this.node.attributes();
  }
  readiness(): Readiness {
    return { readable: false, writable: false, hangUp: false, error: true };
  }
  protected release(): void {
    // Names only.
  }
}

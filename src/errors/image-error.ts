// The interpreter could not be prepared: wrong files, or a build step that did not work. Nothing of a guest is involved.
import { SandboxError, type SandboxState } from "./sandbox-error.ts";

/** The interpreter could not be prepared: its files are not the known ones, or a step of that did not work. No sandbox was made. */
export class ImageError extends SandboxError {
  override readonly name = "ImageError";
  readonly code: "IMAGE_UNKNOWN_FILE" | "IMAGE_BUILD_FAILED";
  readonly sandbox: SandboxState = "none";

  constructor(code: ImageError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

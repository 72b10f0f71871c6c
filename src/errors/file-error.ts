// How a place that is made of the embedder's code refuses: the guest sees the OSError of this code, and nothing else of it.

/** The refusals that a file or folder may answer with (errno(3), open(2), write(2), rename(2)). */
export type FileErrorCode =
  | "EACCES"
  | "EBADF"
  | "EDQUOT"
  | "EEXIST"
  | "EFBIG"
  | "EINVAL"
  | "EIO"
  | "EISDIR"
  | "ENAMETOOLONG"
  | "ENOENT"
  | "ENOSPC"
  | "ENOTDIR"
  | "ENOTEMPTY"
  | "EPERM"
  | "EROFS"
  | "EXDEV";

/** Thrown by code of a place: the guest gets an OSError with the errno that `code` names. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: FileErrorCode;

  /** `message` is for the host; the guest is told the code only. */
  constructor(code: FileErrorCode, message: string = code, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

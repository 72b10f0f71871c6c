// How a function of the embedder's raises an exception in the guest. Nothing else of what it throws is told to the guest.
import { OptionError } from "./option-error.ts";
import { isPythonIdentifier } from "./python-identifier.ts";

/** Built-in exceptions of CPython 3.14 that can be made of one message and be raised anywhere. */
export const guestExceptionTypes: readonly string[] = [
  ...[
    "Exception",
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BlockingIOError",
    "BrokenPipeError",
  ],
  ...["BufferError", "BytesWarning", "ChildProcessError", "ConnectionAbortedError", "ConnectionError"],
  ...["ConnectionRefusedError", "ConnectionResetError", "DeprecationWarning", "EOFError", "EncodingWarning"],
  ...["EnvironmentError", "FileExistsError", "FileNotFoundError", "FloatingPointError", "FutureWarning"],
  ...["IOError", "ImportError", "ImportWarning", "IndentationError", "IndexError", "InterruptedError"],
  ...["IsADirectoryError", "KeyError", "LookupError", "MemoryError", "ModuleNotFoundError", "NameError"],
  ...["NotADirectoryError", "NotImplementedError", "OSError", "OverflowError", "PendingDeprecationWarning"],
  ...["PermissionError", "ProcessLookupError", "PythonFinalizationError", "RecursionError", "ReferenceError"],
  ...["ResourceWarning", "RuntimeError", "RuntimeWarning", "SyntaxError", "SyntaxWarning", "SystemError"],
  ...["TabError", "TimeoutError", "TypeError", "UnboundLocalError", "UnicodeError", "UnicodeWarning"],
  ...["UserWarning", "ValueError", "Warning", "ZeroDivisionError"],
];

/** Built in, but not to be had: they end programs and loops, or are made of more than a message. */
const refused: readonly string[] = [
  ...["BaseException", "BaseExceptionGroup", "ExceptionGroup", "GeneratorExit", "KeyboardInterrupt"],
  ...["StopAsyncIteration", "StopIteration", "SystemExit"],
  ...["UnicodeDecodeError", "UnicodeEncodeError", "UnicodeTranslateError"],
];
const builtIn: ReadonlySet<string> = new Set(guestExceptionTypes);

/**
 * Thrown by a host function, it is raised in the guest with this type and message. `type` is one of `guestExceptionTypes`, or any
 * other identifier: "QuotaError" is `host.QuotaError` there, a subclass of `host.HostError`. `cause` and stack stay on the host.
 */
export class GuestException extends Error {
  override readonly name = "GuestException";
  /** As it was given. */
  readonly type: string;

  /** Throws OptionError for a type that cannot be raised. */
  constructor(type: string, message: string, options?: ErrorOptions) {
    if (!isPythonIdentifier(type) || type.startsWith("_") || refused.includes(type))
      throw new OptionError("GuestException type", type, "ValueError, KeyError, …, or a name of your own");
    if (typeof message !== "string") throw new OptionError("GuestException message", message, "a string");
    super(message, options);
    this.type = type;
  }

  /** As it crosses: a builtin exception's name, or `host.Name`. */
  get qualifiedType(): string {
    return builtIn.has(this.type) ? this.type : `host.${this.type}`;
  }
}

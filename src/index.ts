// The public API, and nothing else.
export type {
  FileCapability,
  HostDirectory,
  HostDirectoryMode,
  HostFile,
  HostFileMode,
  MemoryFile,
  OverlayPlace,
  PlaceEnvironment,
  PlaceUse,
  Scratch,
  TreeCapability,
  Wrapped,
} from "./capabilities/capability.ts";
export { hostFile, memoryFile, type ScratchOptions, scratch } from "./capabilities/files.ts";
export { type AiTool, type FromAiToolsOptions, fromAiTools } from "./capabilities/functions/ai-tools.ts";
export { type Approval, type ApprovalRequest, approved } from "./capabilities/functions/approved.ts";
export type { Callable } from "./capabilities/functions/around-function.ts";
export {
  attenuate,
  type FunctionAttenuation,
  type ObjectAttenuation,
} from "./capabilities/functions/attenuate.ts";
export type { RevocableFunction } from "./capabilities/functions/ended-functions.ts";
export { type Expiry, expiring } from "./capabilities/functions/expiring.ts";
export type {
  Arguments,
  FunctionCall,
  FunctionCapability,
  FunctionGrants,
  FunctionLimits,
  GivenValueOptions,
  JsonSchema,
  ObjectCapability,
  Parameter,
  Signature,
  ValueOptions,
} from "./capabilities/functions/function-capability.ts";
export type { FunctionLimitOptions } from "./capabilities/functions/function-limits.ts";
export {
  type AnswerOf,
  type FunctionTerms,
  type HostFunctionOptions,
  hostFunction,
  type InputOf,
} from "./capabilities/functions/host-function.ts";
export {
  type AttributeTerms,
  type HostObjectOptions,
  hostObject,
  type MethodTerms,
} from "./capabilities/functions/host-object.ts";
export type { JsonValue } from "./capabilities/functions/json-value.ts";
export type { CallLimits } from "./capabilities/functions/limited-functions.ts";
export type { CallUse } from "./capabilities/functions/observed-functions.ts";
export type {
  AiResult,
  AiSchema,
  InputSchema,
  StandardIssue,
  StandardResult,
  StandardSchema,
} from "./capabilities/functions/schemas.ts";
export {
  type PythonAnswer,
  type RunsPython,
  type ToAiToolOptions,
  toAiTool,
} from "./capabilities/functions/to-ai-tool.ts";
export { type HostDirectoryOptions, hostDirectory } from "./capabilities/host-directory.ts";
export type { Overlay, OverlayOptions } from "./capabilities/overlay.ts";
export type { Quantity } from "./capabilities/quantity.ts";
export { virtualDirectory, virtualFile } from "./capabilities/virtual.ts";
export type { VirtualFileSource } from "./capabilities/virtual-file.ts";
export { type Filter, type FilterRequest, filtered } from "./capabilities/wrappers/filtered.ts";
export { type FileLimits, limited } from "./capabilities/wrappers/limited.ts";
export { type FileUse, observed } from "./capabilities/wrappers/observed.ts";
export { readOnly } from "./capabilities/wrappers/read-only.ts";
export { type Revocable, revocable } from "./capabilities/wrappers/revocable.ts";
export { wrapped } from "./capabilities/wrappers/wrapped.ts";
export { type AnySandboxError, SandboxError } from "./errors/any-sandbox-error.ts";
export { FileError, type FileErrorCode } from "./errors/file-error.ts";
export { GuestException, guestExceptionTypes } from "./errors/guest-exception.ts";
export { type GuestFileCode, GuestFileError } from "./errors/guest-file-error.ts";
export { ImageError } from "./errors/image-error.ts";
export { OptionError } from "./errors/option-error.ts";
export { OverlayCommitError, type OverlayConflict, OverlayConflictError } from "./errors/overlay-errors.ts";
export { PoolError } from "./errors/pool-error.ts";
export { LimitError, type LimitName, PythonError, RunError, SandboxLostError } from "./errors/run-errors.ts";
export type { ErrorCode, SandboxState } from "./errors/sandbox-error.ts";
export type { Usage, UsageLimits } from "./errors/usage.ts";
export { type Around, aroundTree, type TreeOperation, type TreeRequest } from "./filesystems/around-tree.ts";
export type { OverlayChange } from "./filesystems/overlay/overlay-changes.ts";
export type { CommitReport } from "./filesystems/overlay/overlay-commit.ts";
export type {
  Later,
  NamedTreeEntry,
  Tree,
  TreeAccess,
  TreeChange,
  TreeEntry,
  TreeFile,
  TreePath,
  TreeRoom,
} from "./filesystems/tree.ts";
export type { CallEvent, ObserveCalls } from "./host/calls/embedder.ts";
export type {
  Denial,
  DenialReport,
  FileAccess,
  FileDenial,
  InputDenial,
  ModuleDenial,
  NetworkDenial,
  QuotaDenial,
} from "./host/denials/denials.ts";
export type { DenialEvent, FaultEvent, OnEvent, SandboxEvent } from "./host/events.ts";
export type { Progress } from "./host/images/progress.ts";
export type { Limits } from "./host/options/limits-option.ts";
export {
  type ClockPolicy,
  type EngineOptions,
  type GrantOptions,
  type HostInput,
  hostStdin,
  type Isolation,
  type SandboxOptions,
} from "./host/options/options.ts";
export {
  type CheckoutOptions,
  Pool,
  type PoolCloseOptions,
  type PoolOptions,
  type PoolState,
  type Programs,
} from "./host/pool.ts";
export type { EntryKind as GuestFileKind } from "./host/results/entry-page.ts";
export type {
  GuestFileEntry,
  GuestFileStat,
  GuestFiles,
  ReadOptions,
  WalkedFile,
  WalkOptions,
} from "./host/results/guest-files.ts";
export type { Run, RunOptions, TakeOutput } from "./host/run.ts";
export type { OutputEvent, ResultEvent, RunEvent, StreamOptions } from "./host/run-stream.ts";
export { type CreateOptions, Sandbox } from "./host/sandbox.ts";
export { overlay } from "./host/trees/overlay.ts";
export type { OutputStream } from "./host/walls/output-ring.ts";
export {
  PythonDate,
  PythonDateTime,
  PythonDecimal,
  PythonFloat,
  PythonTime,
  PythonTimeDelta,
  PythonUuid,
  type TimeFields,
} from "./interpreter/marshal/python-values.ts";
export {
  type GuestObject,
  type GuestValue,
  type InstanceKind,
  OpaqueValue,
  PythonComplex,
  PythonInstance,
  pythonEllipsis,
} from "./interpreter/marshal/values.ts";

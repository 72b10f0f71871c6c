// The whole truth about the boundary: every function that the module may import, what it takes, how far it is supported, and
// what a guest should know. A module that imports anything else is refused before it is instantiated.
import { javascriptBridge } from "./javascript-bridge.ts";
import type { Kernel } from "./kernel.ts";
import {
  accessAt,
  chdir,
  chmod,
  chmodAt,
  chownAt,
  fchdir,
  fchmod,
  fchown,
  fstat,
  fstatfs,
  getCwd,
  lstat,
  stat,
  statAt,
  statfs,
  truncate,
  umask,
  utimensAt,
} from "./syscalls/attributes.ts";
import { allocateClosure, foreignCall, freeClosure, prepareClosure } from "./syscalls/ffi.ts";
import { hostCall } from "./syscalls/host-call.ts";
import { findSymbol, refuseLibrary } from "./syscalls/libraries.ts";
import { mapFile, syncMapping, unmap } from "./syscalls/mapping.ts";
import { makeDirectory, makeLink, makeNode, readLink, rename, rmdir, unlink } from "./syscalls/names.ts";
import { close, control, dup, dup3, fcntl64, openAt, pipe } from "./syscalls/open-close.ts";
import {
  abort,
  assertionFailed,
  callSignalHandler,
  environment,
  environmentSizes,
  exit,
  heapMax,
  hostDescription,
  ignore,
  loadRest,
  nothing,
  pendingSignal,
  programName,
  random,
  refuseTimer,
  resizeHeap,
  system,
  uid,
  zero,
} from "./syscalls/process-control.ts";
import { poll } from "./syscalls/readiness.ts";
import {
  accept,
  connect,
  lookUpName,
  lookUpNothing,
  nameOfNothing,
  option,
  ownName,
  peerName,
  receive,
  refuseListening,
  send,
  socket,
} from "./syscalls/sockets.ts";
import {
  clockResolution,
  clockTime,
  dateNow,
  gmtime,
  localtime,
  mktime,
  now,
  timegm,
  tzset,
} from "./syscalls/time.ts";
import {
  advise,
  allocate,
  describe,
  listDirectory,
  read,
  readAt,
  seek,
  sync,
  truncateOpen,
  write,
  writeAt,
} from "./syscalls/transfer.ts";

/** full: as the man page says. partial: some of it, the note says what. refused: calling it ends the guest. */
export type Support = "full" | "partial" | "refused";

/** Raw wasm arguments in, raw result out. Refusals are thrown as KernelError and become errnos in bind-imports.ts. */
type Handler = (kernel: Kernel, ...values: never[]) => unknown;

export interface SyscallEntry {
  readonly module: string;
  readonly name: string;
  /** As in the module's type section, e.g. "(i32,i64)->i32". */
  readonly signature: string;
  readonly support: Support;
  readonly note: string;
  readonly handler: Handler | undefined;
}

type Declaration = `${string}(${string})->${string}`;

function row(
  declaration: Declaration,
  support: Support,
  handler: Handler | undefined,
  note: string,
): SyscallEntry {
  const open = declaration.indexOf("(");
  const qualified = declaration.slice(0, open);
  const wasi = qualified.startsWith("wasi.");
  return {
    module: wasi ? "wasi_snapshot_preview1" : "env",
    name: wasi ? qualified.slice("wasi.".length) : qualified,
    signature: declaration.slice(open),
    support,
    note,
    handler,
  };
}

function full(declaration: Declaration, handler: Handler, note = "as its man page says"): SyscallEntry {
  return row(declaration, "full", handler, note);
}
function partial(declaration: Declaration, handler: Handler, note: string): SyscallEntry {
  return row(declaration, "partial", handler, note);
}
function refused(declaration: Declaration, note: string): SyscallEntry {
  return row(declaration, "refused", undefined, note);
}

export const syscallTable: readonly SyscallEntry[] = [
  // functions of the host
  partial(
    "_PyEM_TrampolineCall_JS(i32,i32,i32,i32)->i32",
    hostCall,
    "what it was for is done inside the module; Python calls the host through it: bytes for granted functions, answered with bytes",
  ),
  // the C runtime
  partial("_emscripten_log_formatted(i32,i32)->void", ignore, "messages of the C runtime go nowhere"),
  partial("_emscripten_runtime_keepalive_clear()->void", ignore, "no event loop to keep alive"),
  refused("emscripten_asm_const_int(i32,i32,i32)->i32", "would evaluate JavaScript"),
  partial("emscripten_runtime_keepalive_pop()->void", ignore, "no event loop to keep alive"),
  partial("emscripten_runtime_keepalive_push()->void", ignore, "no event loop to keep alive"),
  // memory
  full("emscripten_get_heap_max()->i32", heapMax, "the memory limit"),
  full("emscripten_resize_heap(i32)->i32", resizeHeap, "grows up to the memory limit, then 0: MemoryError"),
  // the end of the process
  full("__assert_fail(i32,i32,i32,i32)->void", assertionFailed, "ends the guest"),
  full("_abort_js()->void", abort, "ends the guest"),
  full("sandboa_load_rest()->void", loadRest, "our own: the host makes the functions that few programs need"),
  partial("_emscripten_system(i32)->i32", system, "there is no shell: ENOSYS"),
  full("exit(i32)->void", exit, "ends the guest"),
  // WASI
  full("wasi.clock_res_get(i32,i32)->i32", clockResolution, "the step of the clock policy"),
  partial(
    "wasi.clock_time_get(i32,i64,i32)->i32",
    clockTime,
    "coarse by default; CPU clocks show elapsed time",
  ),
  full("wasi.environ_get(i32,i32)->i32", environment, "only what the host set"),
  full("wasi.environ_sizes_get(i32,i32)->i32", environmentSizes, "only what the host set"),
  full("wasi.fd_close(i32)->i32", close),
  full("wasi.fd_fdstat_get(i32,i32)->i32", describe, "nothing is a terminal"),
  full("wasi.fd_pread(i32,i32,i32,i64,i32)->i32", readAt),
  full("wasi.fd_pwrite(i32,i32,i32,i64,i32)->i32", writeAt),
  full(
    "wasi.fd_read(i32,i32,i32,i32)->i32",
    read,
    "empty pipe with writers: EAGAIN, nobody could wake the reader",
  ),
  partial("wasi.fd_seek(i32,i64,i32,i32)->i32", seek, "no SEEK_DATA, SEEK_HOLE"),
  full("wasi.fd_sync(i32)->i32", sync),
  full("wasi.fd_write(i32,i32,i32,i32)->i32", write, "standard streams are charged to the output limit"),
  full("wasi.proc_exit(i32)->void", exit, "ends the guest"),
  full("wasi.random_get(i32,i32)->i32", random, "strong entropy, any length"),
  // files and descriptors
  full("__syscall_chdir(i32)->i32", chdir),
  full("__syscall_chmod(i32,i32)->i32", chmod),
  full("__syscall_dup(i32)->i32", dup),
  full("__syscall_dup3(i32,i32,i32)->i32", dup3),
  full("__syscall_faccessat(i32,i32,i32,i32)->i32", accessAt, "real and effective identity are one"),
  full("__syscall_fadvise64(i32,i64,i64,i32)->i32", advise, "advice is not needed"),
  partial("__syscall_fallocate(i32,i32,i64,i64)->i32", allocate, "mode 0 only"),
  full("__syscall_fchdir(i32)->i32", fchdir),
  full("__syscall_fchmod(i32,i32)->i32", fchmod),
  full("__syscall_fchmodat2(i32,i32,i32,i32)->i32", chmodAt),
  partial("__syscall_fchown32(i32,i32,i32)->i32", fchown, "only to the guest itself"),
  partial("__syscall_fchownat(i32,i32,i32,i32,i32)->i32", chownAt, "only to the guest itself"),
  partial(
    "__syscall_fcntl64(i32,i32,i32)->i32",
    fcntl64,
    "F_SETLKW asks again and again; no locks of open file descriptions (F_OFD_SETLK): EINVAL",
  ),
  full("__syscall_fdatasync(i32)->i32", sync),
  full("__syscall_fstat64(i32,i32)->i32", fstat),
  full("__syscall_fstatfs64(i32,i32,i32)->i32", fstatfs),
  full("__syscall_ftruncate64(i32,i64)->i32", truncateOpen),
  full("__syscall_getcwd(i32,i32)->i32", getCwd),
  full("__syscall_getdents64(i32,i32,i32)->i32", listDirectory),
  partial(
    "__syscall_ioctl(i32,i32,i32)->i32",
    control,
    "FIONREAD, FIONBIO, close-on-exec; no terminals: ENOTTY",
  ),
  full("__syscall_lstat64(i32,i32)->i32", lstat),
  full("__syscall_mkdirat(i32,i32,i32)->i32", makeDirectory),
  partial("__syscall_mknodat(i32,i32,i32,i32)->i32", makeNode, "files and pipes; devices: EPERM"),
  full("__syscall_newfstatat(i32,i32,i32,i32)->i32", statAt),
  partial("__syscall_openat(i32,i32,i32,i32)->i32", openAt, "no O_TMPFILE"),
  full("__syscall_pipe(i32)->i32", pipe),
  full("__syscall_poll(i32,i32,i32)->i32", poll, "an idle wait sleeps: nothing can become ready meanwhile"),
  full("__syscall_readlinkat(i32,i32,i32,i32)->i32", readLink),
  full("__syscall_renameat(i32,i32,i32,i32)->i32", rename),
  full("__syscall_rmdir(i32)->i32", rmdir),
  full("__syscall_stat64(i32,i32)->i32", stat),
  full("__syscall_statfs64(i32,i32,i32)->i32", statfs),
  full("__syscall_symlinkat(i32,i32,i32)->i32", makeLink),
  full("__syscall_truncate64(i32,i64)->i32", truncate),
  full("__syscall_umask_js(i32)->i32", umask),
  full("__syscall_unlinkat(i32,i32,i32)->i32", unlink),
  full("__syscall_utimensat(i32,i32,i32,i32)->i32", utimensAt),
  // file mappings
  partial(
    "_mmap_js(i32,i32,i32,i32,i64,i32,i32)->i32",
    mapFile,
    "a mapping is a copy, written back by msync and munmap; a shared one of what another sandbox has locked: EAGAIN",
  ),
  partial("_msync_js(i32,i32,i32,i32,i32,i64)->i32", syncMapping, "never grows the file"),
  partial("_munmap_js(i32,i32,i32,i32,i32,i64)->i32", unmap, "written back when shared and writable"),
  // time
  full("_gmtime_js(i64,i32)->void", gmtime),
  full("_localtime_js(i64,i32)->void", localtime, "the zone that was granted, else UTC"),
  full("_mktime_js(i32)->i64", mktime),
  partial("_setitimer_js(i32,f64)->i32", refuseTimer, "no timers: ENOSYS"),
  full("_timegm_js(i32)->i64", timegm),
  full("_tzset_js(i32,i32,i32,i32)->void", tzset, "the zone that was granted, else UTC"),
  full("emscripten_date_now()->f64", dateNow, "the wall clock of the policy"),
  full("emscripten_get_now()->f64", now, "repeated calls are a sleep, and block"),
  // signals
  partial("_Py_CheckEmscriptenSignals_Helper()->i32", pendingSignal, "asks the host for a pending interrupt"),
  full("__call_sighandler(i32,i32)->void", callSignalHandler, "a bad table index is ignored"),
  // identity
  full("__syscall_getuid32_js()->i32", uid, "constant"),
  partial("_Py_emscripten_runtime()->i32", hostDescription, "NULL: nothing of the host"),
  full("_emscripten_get_progname(i32,i32)->void", programName, "constant"),
  // network
  partial("__syscall_accept4(i32,i32,i32,i32,i32,i32)->i32", accept, "nobody connects"),
  partial("__syscall_bind(i32,i32,i32,i32,i32,i32)->i32", refuseListening, "EACCES"),
  partial("__syscall_connect(i32,i32,i32,i32,i32,i32)->i32", connect, "ENETUNREACH"),
  partial("__syscall_getpeername(i32,i32,i32,i32,i32,i32)->i32", peerName, "ENOTCONN"),
  partial("__syscall_getsockname(i32,i32,i32,i32,i32,i32)->i32", ownName, "unbound"),
  partial(
    "__syscall_getsockopt(i32,i32,i32,i32,i32,i32)->i32",
    option,
    "SO_TYPE, SO_ERROR; other options are off",
  ),
  partial("__syscall_listen(i32,i32,i32,i32,i32,i32)->i32", refuseListening, "EACCES"),
  partial("__syscall_recvfrom(i32,i32,i32,i32,i32,i32)->i32", receive, "ENOTCONN"),
  partial("__syscall_recvmsg(i32,i32,i32,i32,i32,i32)->i32", receive, "ENOTCONN"),
  partial("__syscall_sendmsg(i32,i32,i32,i32,i32,i32)->i32", send, "ENOTCONN"),
  partial("__syscall_sendto(i32,i32,i32,i32,i32,i32)->i32", send, "ENOTCONN, ENETUNREACH"),
  partial("__syscall_socket(i32,i32,i32,i32,i32,i32)->i32", socket, "AF_INET and AF_INET6 that reach nobody"),
  partial("_emscripten_lookup_name(i32)->i32", lookUpName, "gethostbyname knows nothing"),
  partial("_maybe_connect_async(i32,i32,i32)->externref", nothing, "null: take the ordinary system call"),
  partial("_maybe_poll_async(i32,i32,i32)->externref", nothing, "null: take the ordinary system call"),
  partial("_maybe_recvfrom_async(i32,i32,i32)->externref", nothing, "null: take the ordinary system call"),
  partial("_maybe_sendto_async(i32,i32,i32)->externref", nothing, "null: take the ordinary system call"),
  partial("_try_fcntl64(i32,i32,i32,i32)->i32", zero, "0: take the ordinary system call"),
  partial("_try_shutdown(i32,i32,i32)->i32", zero, "0: shutdown answers ENOSYS"),
  partial("getaddrinfo(i32,i32,i32,i32)->i32", lookUpNothing, "EAI_NONAME"),
  partial("getnameinfo(i32,i32,i32,i32,i32,i32,i32)->i32", nameOfNothing, "EAI_FAMILY"),
  partial("getprotobyname(i32)->i32", zero, "NULL"),
  // native modules
  partial("_dlopen_js(i32)->i32", refuseLibrary, "fails with a text for dlerror"),
  partial(
    "_dlsym_js(i32,i32,i32)->i32",
    findSymbol,
    "what the image exports: everything when _ctypes is granted, else next to nothing",
  ),
  refused("_emscripten_dlopen_js(i32,i32,i32,i32)->void", "CPython never calls it"),
  refused("emscripten_promise_create()->i32", "JavaScript promises"),
  refused("emscripten_promise_destroy(i32)->void", "JavaScript promises"),
  refused("emscripten_promise_resolve(i32,i32,i32)->void", "JavaScript promises"),
  // foreign functions
  partial(
    "ffi_call_js(i32,i32,i32,i32)->void",
    foreignCall,
    "calls the guest's own functions; up to 480 arguments, no complex numbers; bad arguments end the guest",
  ),
  full(
    "ffi_closure_alloc_js(i32,i32)->i32",
    allocateClosure,
    "NULL beyond 16,384 places in the function table",
  ),
  full("ffi_closure_free_js(i32)->void", freeClosure, "what is no closure is left alone"),
  partial(
    "ffi_prep_closure_loc_js(i32,i32,i32,i32,i32)->i32",
    prepareClosure,
    "not variadic; up to 256 different signatures",
  ),
  // stack switching
  refused("JsvPromise_Syncify_handleError()->void", "stack switching"),
  partial("can_run_sync_js()->i32", zero, "0: no stack switching"),
  refused("get_suspender()->externref", "stack switching"),
  refused("restoreState(externref)->void", "stack switching"),
  refused("saveState()->externref", "stack switching"),
  refused("set_suspender(externref)->void", "stack switching"),
  refused("syncifyHandler(externref,externref)->externref", "stack switching"),
  // JavaScript references
  refused("__hiwire_deduplicate_delete(externref,externref)->void", "references to JavaScript objects"),
  refused("__hiwire_deduplicate_get(externref,externref)->i32", "references to JavaScript objects"),
  partial(
    "__hiwire_deduplicate_new()->externref",
    nothing,
    "null: a constructor keeps it and nothing uses it",
  ),
  refused("__hiwire_deduplicate_set(externref,externref,i32)->void", "references to JavaScript objects"),
  // Pyodide
  refused("emscripten_debugger()->void", "debugger"),
  partial("emscripten_log_impl_js(i32)->void", ignore, "messages of the C runtime go nowhere"),
  refused("emscripten_set_up_async_input_device_js()->i32", "a test aid of CPython"),
  // Pyodide's bridge to JavaScript objects
  ...javascriptBridge.map((declaration) =>
    refused(declaration, "reaches JavaScript objects; CPython does not need it"),
  ),
];

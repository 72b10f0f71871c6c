// Numeric flags that cross the boundary. Open flags and modes are Linux x86's; poll and mmap too
// (Emscripten system/lib/libc/musl/arch/emscripten/bits/fcntl.h, include/poll.h, sys/mman.h, sys/stat.h).

export const open = {
  ACCMODE: 0o3,
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  TMPFILE: 0o20000000,
} as const;

export const at = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  REMOVEDIR: 0x200,
  EACCESS: 0x200,
  NO_AUTOMOUNT: 0x800,
  EMPTY_PATH: 0x1000,
} as const;

/** File type and permission bits of st_mode. */
export const mode = {
  TYPE: 0o170000,
  SOCKET: 0o140000,
  LINK: 0o120000,
  FILE: 0o100000,
  DIRECTORY: 0o040000,
  CHARACTER: 0o020000,
  PIPE: 0o010000,
  SET_GID: 0o2000,
  STICKY: 0o1000,
  PERMISSIONS: 0o7777,
} as const;

/** What access(2) asks for; also the bits of one rwx triple. */
export const access = { EXECUTE: 1, WRITE: 2, READ: 4 } as const;

export const fcntl = {
  DUPFD: 0,
  GETFD: 1,
  SETFD: 2,
  GETFL: 3,
  SETFL: 4,
  GETLK: 12,
  SETLK: 13,
  SETLKW: 14,
  DUPFD_CLOEXEC: 1030,
  FD_CLOEXEC: 1,
  RDLCK: 0,
  WRLCK: 1,
  UNLCK: 2,
} as const;

/** off_t, its largest: a lock without an end goes up to there. */
export const maxOffset = 2n ** 63n - 1n;

export const ioctl = {
  TIOCGWINSZ: 0x5413,
  FIONREAD: 0x541b,
  FIONBIO: 0x5421,
  FIONCLEX: 0x5450,
  FIOCLEX: 0x5451,
} as const;

export const poll = {
  IN: 1,
  OUT: 4,
  ERR: 8,
  HUP: 16,
  NVAL: 32,
  RDNORM: 64,
  WRNORM: 256,
} as const;

export const whence = { SET: 0, CUR: 1, END: 2 } as const;

export const map = { SHARED: 1, PRIVATE: 2, SHARED_VALIDATE: 3 } as const;

export const protection = { READ: 1, WRITE: 2, EXECUTE: 4 } as const;

export const clockId = { REALTIME: 0, MONOTONIC: 1, PROCESS_CPU: 2, THREAD_CPU: 3 } as const;

/** Special tv_nsec values of utimensat(2). */
export const utime = { NOW: 0x3fffffff, OMIT: 0x3ffffffe } as const;

/** __wasi_filetype_t, as fd_fdstat_get reports it; libc's isatty() means CHARACTER_DEVICE. */
export const wasiFileType = {
  UNKNOWN: 0,
  CHARACTER_DEVICE: 2,
  DIRECTORY: 3,
  REGULAR_FILE: 4,
  SOCKET: 6,
  LINK: 7,
} as const;

export const socket = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  STREAM: 1,
  DATAGRAM: 2,
  TYPE_MASK: 0xf,
} as const;

// How long paths and names may be, in bytes: Linux's, which Emscripten's libc has, too (linux/limits.h; musl include/limits.h).

/** PATH_MAX less its NUL: the longest path that a call takes, and the longest target of a symbolic link. */
export const maxPathBytes = 4095;
/** NAME_MAX. */
export const maxNameBytes = 255;

// How much travels at once between a process and its host, and in a page of what the guest left.

/** The largest piece of a granted file, or of standard input, that travels at once. */
export const maxTransferBytes = 1 << 18;

// How hostile bytes are read: what they may cost, what they become, and what is lent.
import type { GuestValue, ValueOptions } from "./values.ts";

export interface DecodeOptions extends ValueOptions {
  /** Containers within containers, at most and by default 200. */
  readonly maxDepth?: number;
  /**
   * What the value may cost, 2^21 by default and 2^24 at most. An item is about 64 bytes of host memory: each value
   * costs one, each 64 bytes of text, bytes or integer one more, each dict, set or bytes four more. A reference costs as
   * much as what it refers to, although both are the same object here: whoever walks, prints or clones the result pays
   * for every path to it.
   */
  readonly maxItems?: number;
  /** Whether tuples that begin with Ellipsis are records (extensions.ts), by default true; else an Ellipsis is a genuine one anywhere. */
  readonly records?: boolean;
  /** What a record of the names "host" and "lent" stands for, given its fields; undefined refuses it. */
  readonly borrow?: (fields: readonly GuestValue[]) => unknown;
  /** Milliseconds from an arbitrary origin. With a clock, keys chosen to collide are noticed; without, large dicts are refused. */
  readonly nowMs?: () => number;
}

// What the arguments of a call that is under way take on the host, for the account of who sent them.

const itemBytes = 64;
/** Of a Map, Set or typed array. */
const bulkyBytes = 256;
/** So short that they are not gone through: whatever they hold, each byte is at most an item. */
const shortBytes = 32;

/**
 * In bytes of host memory, roughly. `encodedBytes`: as it crossed. A value that stands in two places is counted twice. `passedBack`: what in it
 * is the embedder's own, and neither looked into nor charged.
 */
export function costOf(value: unknown, encodedBytes: number, passedBack: ReadonlySet<unknown>): number {
  if (encodedBytes <= shortBytes) return encodedBytes * itemBytes;
  let cost = 0;
  const open: unknown[] = [value];
  const seen = new Set<object>();
  while (open.length > 0) {
    const one = open.pop();
    cost += itemBytes;
    if (typeof one === "string") cost += 2 * one.length;
    else if (typeof one === "bigint") cost += encodedBytes;
    else if (typeof one !== "object" || one === null || passedBack.has(one)) continue;
    else if (ArrayBuffer.isView(one)) cost += bulkyBytes + one.byteLength;
    else {
      if (seen.has(one)) continue;
      seen.add(one);
      if (one instanceof Map) {
        cost += bulkyBytes;
        for (const entry of one) open.push(entry[0], entry[1]);
      } else if (Array.isArray(one)) for (const item of one) open.push(item);
      else if (one instanceof Set) {
        cost += bulkyBytes;
        for (const item of one) open.push(item);
      } else if (isRecord(one)) for (const key of Object.keys(one)) open.push(key, one[key]);
      else cost += bulkyBytes;
    }
  }
  return cost;
}

/** What was made of a dict. */
function isRecord(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null;
}

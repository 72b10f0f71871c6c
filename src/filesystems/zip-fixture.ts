// Makes zip files for tests, honest ones and, by overriding what the headers say, dishonest ones.
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { crc32 } from "./crc32.ts";
import type { Inflate } from "./zip-content.ts";

export interface ZipPart {
  readonly name: string;
  readonly content?: Uint8Array;
  /** 0 stored, 8 deflated; default deflated. */
  readonly method?: number;
  readonly flags?: number;
  readonly unixMode?: number;
  readonly localExtraBytes?: number;
  /** Lies: what both headers declare instead of the truth. */
  readonly sizeBytes?: number;
  readonly compressedBytes?: number;
  readonly crc?: number;
  readonly header?: number;
  /** Lies of the local header alone. */
  readonly localName?: string;
  readonly localSizeBytes?: number;
}

export interface ZipEnd {
  readonly comment?: Uint8Array;
  readonly count?: number;
  readonly disk?: number;
  readonly directoryShift?: number;
  /** Bytes between the last entry and the central directory. */
  readonly gap?: Uint8Array;
}

export function zip(parts: readonly ZipPart[], end: ZipEnd = {}): Uint8Array {
  const locals: Uint8Array[] = [];
  const centrals: Uint8Array[] = [];
  let at = 0;
  for (const part of parts) {
    const content = part.content ?? new Uint8Array(0);
    const method = part.method ?? 8;
    const packed = method === 8 ? new Uint8Array(deflateRawSync(content)) : content;
    const crc = part.crc ?? crc32(content);
    const packedBytes = part.compressedBytes ?? packed.length;
    const size = part.sizeBytes ?? content.length;
    const flags = part.flags ?? 0;
    const extra = part.localExtraBytes ?? 0;
    const localName = latin1(part.localName ?? part.name);
    const name = latin1(part.name);
    const localSize = part.localSizeBytes ?? size;
    const localFields = fields(
      [2, 20],
      [2, flags],
      [2, method],
      [4, 0],
      [4, crc],
      [4, packedBytes],
      [4, localSize],
    );
    const fieldsOf = fields([2, 20], [2, flags], [2, method], [4, 0], [4, crc], [4, packedBytes], [4, size]);
    const local = join(fields([4, 0x04034b50]), localFields, fields([2, localName.length], [2, extra]));
    locals.push(join(local, localName, new Uint8Array(extra), packed));
    const tail = fields([2, name.length], [2, 0], [2, 0], [2, 0], [2, 0]);
    const place = fields([4, ((part.unixMode ?? 0) << 16) >>> 0], [4, part.header ?? at]);
    centrals.push(join(fields([4, 0x02014b50], [2, 0x314]), fieldsOf, tail, place, name));
    at += locals.at(-1)?.length ?? 0;
  }
  const body = join(...locals, end.gap ?? new Uint8Array(0));
  const directory = join(...centrals);
  const count = end.count ?? parts.length;
  const comment = end.comment ?? new Uint8Array(0);
  const start = body.length + (end.directoryShift ?? 0);
  const record = fields(
    [4, 0x06054b50],
    [2, end.disk ?? 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, directory.length],
  );
  return join(body, directory, record, fields([4, start], [2, comment.length]), comment);
}

/** Node's inflater, bounded as the interface asks. */
export const inflate: Inflate = (compressed, sizeBytes) =>
  inflateRawSync(compressed, { maxOutputLength: sizeBytes });

function fields(...values: readonly (readonly [bytes: 2 | 4, value: number])[]): Uint8Array {
  const out = new Uint8Array(values.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [width, value] of values) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return out;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

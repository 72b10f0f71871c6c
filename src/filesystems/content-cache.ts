// Inflated contents that no open file needs right now, up to a fixed number of bytes: what was used last stays. Without it a
// guest that opens every file of an archive once would make the host hold all of the archive for ever.
export class ContentCache<K> {
  readonly #limitBytes: number;
  /** Least recently used first. */
  readonly #contents = new Map<K, Uint8Array>();
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get(key: K): Uint8Array | undefined {
    const content = this.#contents.get(key);
    if (content === undefined) return undefined;
    this.#contents.delete(key);
    this.#contents.set(key, content);
    return content;
  }

  /** `key` is not there yet. */
  put(key: K, content: Uint8Array): void {
    if (content.length > this.#limitBytes) return;
    this.#contents.set(key, content);
    this.#heldBytes += content.length;
    for (const [oldest, old] of this.#contents) {
      if (this.#heldBytes <= this.#limitBytes) return;
      this.#contents.delete(oldest);
      this.#heldBytes -= old.length;
    }
  }
}

/**
 * The bytes of one answer as they come. The first chunk is kept as it is, for most answers have no other. What follows is
 * copied: a chunk holds on to all that its socket read with it, and 8 MiB of chunks of one byte would keep a gigabyte.
 */
export class AnswerBody {
  byteLength = 0;
  #memory: Buffer | null = null;

  add(chunk: Buffer): void {
    const needed = this.byteLength + chunk.byteLength;
    if (this.#memory === null) this.#memory = chunk;
    else {
      if (needed > this.#memory.byteLength) this.#memory = enlarged(this.#memory, this.byteLength, needed);
      chunk.copy(this.#memory, this.byteLength);
    }
    this.byteLength = needed;
  }

  bytes(): Buffer {
    return this.#memory?.subarray(0, this.byteLength) ?? Buffer.alloc(0);
  }
}

/** At least doubled, so that many small chunks are copied but a few times. */
function enlarged(memory: Buffer, usedBytes: number, neededBytes: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(neededBytes, 2 * memory.byteLength));
  memory.copy(larger, 0, 0, usedBytes);
  return larger;
}

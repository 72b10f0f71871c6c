# Bytes: bytearray edits, struct, checksums, compression, hashing.
import hashlib
import struct
import zlib

N = 60


def kernel(n):
    block = bytearray(40_000)
    for i in range(0, 40_000, 8):
        struct.pack_into("<IHH", block, i, i * 2654435761 % 4294967296, i % 65_521, i % 251)
    total = 0
    for i in range(n):
        block[i] = (block[i] + 1) & 0xFF
        packed = zlib.compress(bytes(block), 1)
        assert zlib.decompress(packed) == block
        total += zlib.crc32(block) + int(hashlib.sha256(block).hexdigest()[:8], 16)
        for a, b, c in struct.iter_unpack("<IHH", block[: 8_000]):
            total += a ^ b ^ c
        total ^= sum(block[::97])
    return total

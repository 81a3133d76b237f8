#!/usr/bin/env python3
"""Items, digest, symbols and list of one set, written from PROTOCOL.md section 9 alone. Prints what sketch_test.c expects."""
import hashlib
import math
import struct

SALT = bytes(range(32))
IDS = [hashlib.blake2b(b"record %d" % i, digest_size=32).digest() for i in range(500)]
SYMBOLS = 300


def h(use, parts, size, key=b""):
    return hashlib.blake2b(b"".join(parts), digest_size=size, key=key, person=use.encode().ljust(16, b"\0")).digest()


def chacha20(key, blocks):
    """RFC 8439, zero nonce, counter from 0."""
    def rotl(x, n):
        return (x << n | x >> 32 - n) & 0xFFFFFFFF

    out = b""
    for counter in range(blocks):
        start = list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key)) + [counter, 0, 0, 0]
        s = start[:]
        for _ in range(10):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    s[x] = (s[x] + s[y]) & 0xFFFFFFFF
                    s[z] = rotl(s[z] ^ s[x], n)
        out += struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(s, start)))
    return out


def digest(ids):
    total = [0] * 1024
    for one in ids:
        for i, v in enumerate(struct.unpack("<1024H", chacha20(one, 32))):
            total[i] = (total[i] + v) & 0xFFFF
    return h("vereda digest", [struct.pack(">Q", len(ids)), struct.pack("<1024H", *total)], 32) if ids else bytes(32)


def mapping(item, below):
    state, i = int.from_bytes(item, "big"), 0
    while i < below:
        yield i
        state = state * 0xDA942042E4DD58B5 % 2 ** 64
        u = ((state >> 11) + 1) * 2.0 ** -53
        i += max(1, math.ceil((i + 1.5) * (1 / math.sqrt(u) - 1)))


def varint(v):
    out = b""
    while v >= 128:
        out += bytes([v & 127 | 128])
        v >>= 7
    return out + bytes([v])


def symbols(ids, below):
    table = [[0, 0, 0] for _ in range(below)]
    for one in ids:
        item = h("vereda item", [one], 8, SALT)
        check = h("vereda check", [item], 4)
        for i in mapping(item, below):
            table[i][0] ^= int.from_bytes(item, "big")
            table[i][1] ^= int.from_bytes(check, "big")
            table[i][2] += 1
    wire = b""
    for i, (total, check, count) in enumerate(table):
        more = count - 2 * len(ids) // (i + 2)
        wire += total.to_bytes(8, "big") + check.to_bytes(4, "big") + varint(2 * more if more >= 0 else -2 * more - 1)
    return wire


def listed(ids, bits):
    """The first LIST of a lane, after round and lane."""
    low = bits - min(bits, math.ceil(math.log2(max(len(ids), 1))))
    told, last = "", 0
    for v in sorted(int.from_bytes(h("vereda item", [one], 8, SALT), "big") >> 64 - bits for one in ids):
        told += "1" * (v - last >> low) + "0" + (format((v - last) % 2 ** low, "0%db" % low) if low else "")
        last = v
    told += "1" * (-len(told) % 8)
    return bytes([bits]) + varint(len(ids)) + bytes(int(told[i:i + 8], 2) for i in range(0, len(told), 8))


print("digest ", digest(IDS).hex())
print("symbols", hashlib.blake2b(symbols(IDS, SYMBOLS), digest_size=32).hexdigest())
for bits in (9, 17, 48):
    print("list %2d" % bits, hashlib.blake2b(listed(IDS, bits), digest_size=32).hexdigest(), len(listed(IDS, bits)))

#!/usr/bin/env python3
"""Writes group.json: a group's control records, byte for byte, and what they say, computed from proto/PROTOCOL.md section 6 alone.

Shares no code with proto/. Only Python's standard library."""
import hashlib
import json

from records import H, P, SIGMA, bytes_of, content, fill, identity, plain_json, record, seal, words_of, x25519_base


def x25519(secret, u):
    """RFC 7748, section 5."""
    k = (int.from_bytes(secret, "little") & (2**254 - 8)) | 2**254
    x1 = int.from_bytes(u, "little") & (2**255 - 1)
    x2, z2, x3, z3 = 1, 0, x1, 1
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, -1, P) % P).to_bytes(32, "little")


# XSalsa20-Poly1305, as NaCl's crypto_box has it.
def salsa_rounds(state):
    s = list(state)

    def quarter(a, b, c, d):
        for to, x, y, n in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
            v = (s[x] + s[y]) & 0xFFFFFFFF
            s[to] ^= (v << n | v >> (32 - n)) & 0xFFFFFFFF

    for _ in range(10):
        for q in ((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11),
                  (0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)):
            quarter(*q)
    return s


def salsa_state(key, middle):
    k = words_of(key)
    return [SIGMA[0], *k[:4], SIGMA[1], *words_of(middle), SIGMA[2], *k[4:], SIGMA[3]]


def hsalsa20(key, middle):
    s = salsa_rounds(salsa_state(key, middle))
    return bytes_of([s[i] for i in (0, 5, 10, 15, 6, 7, 8, 9)])


def xsalsa20(key, nonce, data):
    key, out = hsalsa20(key, nonce[:16]), b""
    for i in range(0, len(data), 64):
        state = salsa_state(key, nonce[16:] + (i // 64).to_bytes(8, "little"))
        block = bytes_of([(a + b) & 0xFFFFFFFF for a, b in zip(state, salsa_rounds(state))])
        out += bytes(x ^ y for x, y in zip(data[i : i + 64], block))
    return out


def poly1305(key, data):
    r, s, total = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, key[16:], 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i : i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(s, "little")) % 2**128).to_bytes(16, "little")


def sealed_box(text, ephemeral, box):
    public = x25519_base(ephemeral)
    nonce = hashlib.blake2b(public + box, digest_size=24).digest()
    key = hsalsa20(x25519(ephemeral, box), bytes(16))
    stream = xsalsa20(key, nonce, bytes(32) + text)
    return public + poly1305(stream[:32], stream[32:]) + stream[32:]


# Section 6.
MASKS = {1: 7, 2: 7, 3: 3, 4: 1}


def commits(keys):
    return b"".join(H(b"epoch key", k) for k in keys)


def entry(keys, device, role):
    mask = MASKS[role]
    plain = bytes([mask]) + b"".join(k if mask >> i & 1 else bytes(32) for i, k in enumerate(keys))
    ephemeral = H(b"epoch key", commits(keys), device["author"], device["box"], bytes([mask]), key=keys[2])
    return device["author"] + sealed_box(plain, ephemeral, device["box"])


class Group:
    def __init__(self, founder, salt):
        self.id = H(b"group id", founder["author"], salt)
        self.salt, self.chains, self.records = salt, {}, []

    def write(self, by, kind, fields, seen):
        seq, prev = self.chains.get(by["author"], (0, b""))
        f = {"version": 1, "group": self.id, "author": by["author"], "lane": 0, "seq": seq + 1, "prev": prev,
             "time_ms": 1700000000000 + len(self.records), "expires": None, "ext": b""}
        raw, record_id = record(by["seed"][:32], f, content(kind, {**fields, "seen": sorted(seen)}))
        self.chains[by["author"]] = (seq + 1, record_id)
        self.records.append({"raw": raw, "id": record_id})
        return record_id

    def name(self, epoch, keys, text, nonce, person=None):
        return seal(2, epoch[:8], keys[2], nonce, b"vereda name" + (person or self.id), text.encode())

    def grant(self, device, person, role, flags, name):
        return {"box": device["box"], "device": device["author"], "flags": flags, "name": name, "person": person,
                "proof": device["proof"], "role": role}


def main():
    ana, beto, cata = (identity(fill(n, 64)) for n in (1, 2, 3))
    persons = [fill(n, 16) for n in (11, 12, 13)]
    salt, nonce = fill(7, 32), fill(9, 24)
    old, new = [fill(n, 32) for n in (21, 22, 23)], [fill(n, 32) for n in (31, 32, 33)]
    g = Group(ana, salt)

    founding = g.write(ana, "group", {"box": ana["box"], "person": persons[0], "salt": salt}, [])
    epoch = g.write(ana, "epoch", {"commits": commits(old), "keys": [entry(old, ana, 1)]}, [founding])
    named = g.write(ana, "grant", g.grant(ana, persons[0], 1, 1, g.name(epoch, old, "Ana", nonce, persons[0])), [epoch])
    beto_in = g.write(ana, "grant", g.grant(beto, persons[1], 1, 0, g.name(epoch, old, "Beto", nonce, persons[1])), [named])
    more = g.write(ana, "epoch", {"commits": commits(old), "keys": [entry(old, beto, 1)], "of": epoch[:8]}, [beto_in])
    # Beto and Ana act without knowing of each other's.
    cata_in = g.write(beto, "grant", g.grant(cata, persons[2], 3, 0, g.name(epoch, old, "Cata", nonce, persons[2])), [more])
    title = g.write(ana, "group", {"name": g.name(epoch, old, "Río Abajo", nonce)}, [more])
    latest = g.write(beto, "epoch", {"commits": commits(new), "keys": [entry(new, d, r) for d, r in
                                                                      ((ana, 1), (beto, 1), (cata, 3))]}, [cata_in, title])
    last = g.write(ana, "grant", g.grant(cata, persons[2], 4, 0, g.name(latest, new, "Catalina", nonce, persons[2])), [latest])

    devices = [{"author": d["author"], "person": p, "role": r, "flags": f, "name": n, "grant": i, "since_ms": t} for d, p, r, f, n, i, t in (
        (ana, persons[0], 1, 1, "Ana", named, 1700000000000), (beto, persons[1], 1, 0, "Beto", beto_in, 1700000000003),
        (cata, persons[2], 3, 0, "Catalina", last, 1700000000005))]
    root = {"group": g.id, "salt": salt, "name_nonce": nonce, "seeds": [d["seed"] for d in (ana, beto, cata)], "persons": persons,
            "epochs": [{"id": latest[:8], "keys": new}, {"id": epoch[:8], "keys": old}], "name": "Río Abajo",
            "devices": devices, "records": g.records}
    with open(__file__[:-3] + ".json", "w") as out:
        json.dump(plain_json(root), out, indent=1, ensure_ascii=False)
        out.write("\n")


if __name__ == "__main__":
    main()

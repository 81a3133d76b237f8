#!/usr/bin/env python3
"""Writes records.json: hashes, identity, words, content, bodies and records, computed from proto/PROTOCOL.md alone.

Shares no code with proto/, so that the C and the text check each other. Only Python's standard library."""
import hashlib
import json

# Ed25519 (RFC 8032, section 5.1) and X25519 (RFC 7748, section 5), slow and plain.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P)


def mul(n, point):
    result = (0, 1)
    while n:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    return result


BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, P) % P)


def encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def sha_number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def expand(seed):
    h = hashlib.sha512(seed).digest()
    return (int.from_bytes(h[:32], "little") & (2**254 - 8)) | 2**254, h[32:]


def public(seed):
    return encode(mul(expand(seed)[0], BASE))


def sign(seed, message):
    a, prefix = expand(seed)
    key = public(seed)
    r = sha_number(prefix, message) % L
    big_r = encode(mul(r, BASE))
    return big_r + ((r + sha_number(big_r, key, message) * a) % L).to_bytes(32, "little")


def x25519_base(secret):
    k = (int.from_bytes(secret, "little") & (2**254 - 8)) | 2**254
    # The Edwards base point maps to u = 9, so the multiple does too: u = (1 + y) / (1 - y).
    y = mul(k, BASE)[1]
    return ((1 + y) * pow(1 - y, -1, P) % P).to_bytes(32, "little")


def x25519(secret, u):
    k, u = (int.from_bytes(secret, "little") & (2**254 - 8)) | 2**254, int.from_bytes(u, "little") & (2**255 - 1)
    x2, z2, x3, z3 = 1, 0, u, 1
    for t in range(254, -1, -1):
        if k >> t & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3, x2, z2 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P, aa * bb % P, e * (aa + 121665 * e) % P
        if k >> t & 1:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, -1, P) % P).to_bytes(32, "little")


# XChaCha20 (draft-irtf-cfrg-xchacha).
def rounds(state):
    s = list(state)

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] ^= s[x]
            s[z] = (s[z] << n | s[z] >> (32 - n)) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            quarter(i, i + 4, i + 8, i + 12)
        for i in range(4):
            quarter(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12)
    return s


def words_of(data):
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


def bytes_of(words):
    return b"".join(w.to_bytes(4, "little") for w in words)


SIGMA = words_of(b"expand 32-byte k")


def xchacha20(key, nonce, data):
    s = rounds(SIGMA + words_of(key) + words_of(nonce[:16]))
    key, out = s[:4] + s[12:], b""
    for i in range(0, len(data), 64):
        state = SIGMA + key + [i // 64, 0] + words_of(nonce[16:])
        block = bytes_of((a + b) & 0xFFFFFFFF for a, b in zip(state, rounds(state)))
        out += bytes(x ^ y for x, y in zip(data[i : i + 64], block))
    return out


# ChaCha20 and its AEAD (RFC 8439), zero nonce.
def chacha20(key, n, first=0):
    out = b""
    for i in range((n + 63) // 64):
        state = SIGMA + words_of(key) + [first + i, 0, 0, 0]
        out += bytes_of((a + b) & 0xFFFFFFFF for a, b in zip(state, rounds(state)))
    return out[:n]


def poly1305(key, data):
    r, total = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i : i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:32], "little")) % 2**128).to_bytes(16, "little")


def chacha20_poly1305(key, data):
    cipher = bytes(a ^ b for a, b in zip(data, chacha20(key, len(data), 1)))
    padded = cipher + bytes(-len(cipher) % 16)
    return cipher + poly1305(chacha20(key, 32), padded + bytes(8) + len(cipher).to_bytes(8, "little"))


# Section 1.
def H(use, *parts, key=b"", n=32):
    return hashlib.blake2b(b"".join(parts), digest_size=n, key=key, person=b"vereda " + use).digest()


def u64(n):
    return n.to_bytes(8, "big")


# Section 2. int, bytes, str, None, bool, list.
def pack(v):
    def length(n, short, *longer):
        if short and n < short[1]:
            return bytes([short[0] | n])
        return next(bytes([tag]) + n.to_bytes(size, "big") for tag, size in longer if n < 256**size)

    if v is None:
        return b"\xc0"
    if isinstance(v, bool):
        return b"\xc3" if v else b"\xc2"
    if isinstance(v, int):
        return length(v, (0, 128), (0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8))
    if isinstance(v, bytes):
        return length(len(v), None, (0xC4, 1), (0xC5, 2), (0xC6, 4)) + v
    if isinstance(v, str):
        v = v.encode()
        return length(len(v), (0xA0, 32), (0xD9, 1), (0xDA, 2), (0xDB, 4)) + v
    return length(len(v), (0x90, 16), (0xDC, 2), (0xDD, 4)) + b"".join(pack(x) for x in v)


# Section 3.
def header9(f):
    return [f["version"], f["group"], f["author"], f["lane"], f["seq"], f["prev"], f["time_ms"], f["expires"], f["ext"]]


def record(seed, f, body, more=()):
    header = pack(header9(f) + [len(body), H(b"body", body)] + list(more))
    signature = sign(seed, b"vereda record\0" + header)
    return header + signature + body, H(b"record id", header, signature)


# Section 4.
def content(kind, fields):
    return pack([kind, [[k, fields[k]] for k in sorted(fields, key=str.encode)]])


# Section 5.
def bucket(n):
    while n % 32 or (n > 256 and n & ((1 << (n.bit_length() - 4)) - 1)):
        n += 1
    return min(max(n, 32), 64512 - 34 - 800 - 32)


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def seal(audience, epoch, key, nonce, ad, text, named=b"", packing=0):
    plain = bytes([packing]) + varint(len(text)) + text
    plain += bytes(bucket(len(plain)) - len(plain))
    prefix = bytes([1, audience]) + epoch + nonce + named
    t = H(b"body key", nonce, key=key, n=56)
    cipher = xchacha20(t[:32], t[32:], plain)
    mac_key = H(b"body auth", nonce, key=key)
    parts = [u64(len(x)) + x for x in (ad, prefix, cipher)]
    return prefix + cipher + H(b"body mac", *parts, key=mac_key)


def seal_named(epoch, boxes, nonce, seed, ad, text):
    draw = chacha20(seed, 64 + 16 * 48 + 16 * 4)
    key, secret, numbers = draw[:32], draw[32:64], draw[64 + 16 * 48 :]
    slots = [draw[64 + 48 * i : 112 + 48 * i] for i in range(16)]
    ephemeral, place = x25519_base(secret), list(range(16))
    for i in range(15, 0, -1):
        j = int.from_bytes(numbers[4 * i : 4 * i + 4], "big") % (i + 1)
        place[i], place[j] = place[j], place[i]
    for box, at in zip(boxes, place):
        slots[at] = chacha20_poly1305(H(b"slot", ephemeral, box, bytes([at]), key=x25519(secret, box)), key)
    return seal(3, epoch, key, nonce, ad, text, ephemeral + b"".join(slots))


# What no packing makes smaller.
def noise(first, n):
    return chacha20(fill(first, 32), n)


# Section 3, the compact form. Records as dictionaries of fields, with signature, and body or (bytes, hash) of a stub.
class Stream:
    def __init__(self, group):
        self.group, self.keys, self.last = group, {}, {}

    def put(self, f, header, record_id, signature, body, stub):
        if f["version"] != 1 or f["ext"] or f["group"] != self.group:
            return b"\x0c" + header + signature + (b"" if stub else body)

        def difference(value, before):
            return varint(2 * (value - before) if value >= before else 2 * (before - value) - 1)

        author, lane = f["author"], f["lane"]
        number = next((i for i, key in self.keys.items() if key == author), None)
        seq, time, before = self.last.get((number, lane), (0, 0, None))
        follows = before is not None and f["prev"] == before and f["seq"] == seq + 1
        out = bytes([lane | (2 if follows else 1 if f["prev"] else 0) << 2 | (number is None) << 4 |
                     (f["expires"] is not None) << 5 | stub << 6])
        if number is None:
            number = len(self.keys)  # never 256 here
            self.keys[number] = author
            out += author
        else:
            out += bytes([number])
        out += b"" if follows else f["prev"] + difference(f["seq"], seq)
        out += difference(f["time_ms"], time)
        if f["expires"] is not None:
            out += difference(f["expires"], f["time_ms"] // 86400000)
        self.last[number, lane] = (f["seq"], f["time_ms"], record_id)
        return out + signature + (varint(len(body)) + H(b"body", body) if stub else body)


def compact_stream(group):
    stream, entries, last = Stream(group), [], {}
    time = 1700000000123
    for i, (author, lane, gap, change, stub) in enumerate((
        (1, 2, 0, {}, False), (1, 2, 0, {}, False), (1, 1, 0, {"expires": 19000}, False), (2, 2, 3, {}, False),
        (1, 2, 0, {"expires": 20000}, True), (2, 2, 0, {"time_ms": 5}, False), (2, 2, 5, {}, False), (1, 2, 0, {"version": 3}, False),
        (1, 2, 0, {"ext": b"x"}, False), (2, 3, 0, {"prev": b""}, True), (1, 2, 0, {"prev": fill(3, 32)}, False), (1, 0, 0, {}, False),
    )):
        seq, prev = last.get((author, lane), (0, b""))
        f = {"version": 1, "group": group, "author": fill(author, 32), "lane": lane, "seq": seq + 1 + gap, "prev": prev if not gap else fill(i, 32),
             "time_ms": time + i * i * 1000, "expires": None, "ext": b"", **change}
        body, signature = fill(i, 40 + 30 * i), fill(200 + i, 64)
        if f["seq"] == 1:
            f["prev"] = b""
        header = pack(header9(f) + [len(body), H(b"body", body)])
        record_id = H(b"record id", header, signature)
        entries.append({"record": header + signature + (b"" if stub else body), "compact": stream.put(f, header, record_id, signature, body, stub)})
        last[author, lane] = (f["seq"], record_id)
    return {"group": group, "entries": entries}


# Section 7, a record on paper.
def slip(link, group, entry_bytes, number):
    f = {"version": 1, "group": group, "author": fill(number, 32), "lane": 1, "seq": 7, "prev": fill(4, 32), "time_ms": 1700000000123,
         "expires": 19800, "ext": b""}
    body, signature = fill(number, entry_bytes), fill(200, 64)
    header = pack(header9(f) + [len(body), H(b"body", body)])
    record_id = H(b"record id", header, signature)
    compact = Stream(group).put(f, header, record_id, signature, body, False)
    message = len(compact).to_bytes(2, "big") + compact
    count = -(-len(message) // 174)
    piece = -(-(-(-len(message) // count) + 16) // 5) * 5 - 16
    message += bytes(count * piece - len(message))
    codes = []
    for i in range(count):
        plain = record_id[:4] + bytes([i + 1, count]) + message[i * piece:(i + 1) * piece]
        tag = H(b"slip", b"\0", plain, key=link, n=10)
        code = tag + xchacha20(H(b"slip", b"\1", tag, key=link), bytes(24), plain)
        bits = int.from_bytes(code, "big")
        codes.append("".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[bits >> 5 * j & 31] for j in reversed(range(len(code) // 5 * 8))))
    return {"link": link, "group": group, "record": header + signature + body, "codes": codes}


# Section 7, receipts. lanes: (count, digest, whole); spans: (item, length).
def receipt(seed, group, flags, count, time_ms, keep_until, lanes, spans):
    said = b"\1" + bytes([flags | sum(whole << i for i, (_, _, whole) in enumerate(lanes))]) + public(seed) + u64(count) + u64(time_ms)
    said += keep_until.to_bytes(4, "big") + b"".join(varint(n) + (digest if n else b"") for n, digest, _ in lanes)
    said += b"".join(item + varint(length) for item, length in sorted(spans))
    return said + sign(seed, b"vereda receipt\0" + group + H(b"receipt", said))


# Section 9, RECEIPT: with so many of its spans, as if those were of the lanes that are named.
def brief(whole, count, time_ms, keep_until, lanes, spans, named, marked, n):
    out = bytes([whole[1] | (32 if time_ms != count else 0) | (64 if named else 0)]) + varint(count)
    out += (varint(time_ms) if time_ms != count else b"") + varint(keep_until) + whole[-64:]
    if named:
        out += bytes([named | marked << 4]) + b"".join(varint(n) + (digest if n else b"") for i, (n, digest, _) in enumerate(lanes) if marked >> i & 1)
        out += b"".join(item + varint(length) for item, length in sorted(spans)[:n])
    return {"named": named, "marked": marked, "spans": n, "brief": out}


def receipts(seed, group):
    out = []
    for restored, lanes, spans in (
        (0, [(0, b"", 1)] * 4, []),
        (0, [(3, fill(1, 16), 1), (0, b"", 1), (300, fill(2, 16), 0), (2**40, fill(3, 16), 1)], [(fill(9, 8), 300), (fill(5, 8), 1), (fill(7, 8), 2**40)]),
        (16, [(1, fill(4, 16), 0)] * 4, [(fill(i, 8), i + 1) for i in range(200)]),
    ):
        f = {"count": 7 + len(spans) if spans else 1700000000123, "time_ms": 1700000000123, "keep_until": 20000}
        whole = receipt(seed, group, restored, f["count"], f["time_ms"], f["keep_until"], lanes, spans)
        out.append({**f, "restored": restored > 0, "group": group,
                    "lanes": [{"count": n, "digest": digest, "whole": bool(whole)} for n, digest, whole in lanes],
                    "spans": [{"item": item, "length": length} for item, length in spans],
                    "receipt": whole, "brief": [brief(whole, f["count"], f["time_ms"], f["keep_until"], lanes, spans, named, marked, min(n, len(spans)))
                                                for named, marked, n in ((0, 0, 0), (8, 0, 2), (6, 4, 1), (15, 15, 200))]})
    return out


# Section 4, attachments: a record with files, and their chunks.
CHUNK = 15328


def attachment(name, media_type, size, digest, chunks, *more):
    return pack([name, media_type, size, digest, chunks, *more])


def attachments(seed, base):
    epoch, key, expires = fill(1, 8), fill(2, 32), 20000
    files, items, datas = [], [], []
    for name, media_type, first, size in (("foto del puente.jpg", "image/jpeg", 3, 2 * CHUNK + 77), ("vacío.txt", "", 0, 0), ("🌱", "text/plain", 9, 5)):
        data = noise(first, size)
        digest, chunks = hashlib.blake2b(data, digest_size=32).digest(), -(-size // CHUNK)
        files.append({"name": name.encode(), "type": media_type, "size": size, "first": first, "hash": digest, "chunks": chunks})
        items.append(attachment(name, media_type, size, digest, chunks))
        datas.append(data)
    said = content("report", {"text": "Lo que se ve desde la orilla", "attachments": items})
    nonce = fill(7, 24)
    f = {**base, "expires": expires}
    whole, whole_id = record(seed, f, seal(1, epoch, key, nonce, pack(header9(f)), said))
    parts, seq, prev = [], 1, b""
    for which, data in enumerate(datas):
        for at in range(0, len(data), CHUNK):
            number = at // CHUNK
            f = {**base, "lane": 3, "seq": seq, "prev": prev, "expires": expires, "ext": b"\3" + whole_id + bytes([which]) + number.to_bytes(4, "big")}
            nonce = fill(20 + seq, 24)
            body = seal(1, epoch, key, nonce, pack(header9(f)), content("chunk", {"data": data[at : at + CHUNK]}))
            raw, prev = record(seed, f, body)
            parts.append({**f, "attachment": which, "number": number, "nonce": nonce, "header_and_signature": raw[: len(raw) - len(body)],
                          "body_hash": H(b"body", body), "id": prev})
            seq += 1
    # What is none keeps its place: the last is one, and so is each that says so.
    digest = fill(1, 32)
    odd = [(attachment("a" * 120, "b" * 127, 2**53 - 1, digest, 2**32 - 1), True), (attachment("a" * 121, "", 1, digest, 1), False),
           (attachment("", "", 1, digest, 1), False), (attachment("a", "b" * 128, 1, digest, 1), False), (attachment("a", "", 2**53, digest, 1), False),
           (attachment("a", "", 1, digest[1:], 1), False), (attachment("a", "", 1, digest, 2), False), (attachment("a", "", 1, digest, 0), False),
           (attachment("a", "", 2**33, digest, 2**32), False), (attachment("a", "", 0, digest, 0), True), (attachment("a", "", 1, digest, 1, 1), False),
           (attachment("a", "", 1, digest, 1) + b"\0", False), (pack(["a", "", 1, digest]), False), (b"", False), (7, False),
           (attachment("z", "", 1, digest, 1), True)]
    return {"epoch": epoch, "key": key, "files": files, "content": said, "record": whole, "id": whole_id, "chunks": parts,
            "odd": {"content": content("report", {"attachments": [item for item, _ in odd]}), "good": [good for _, good in odd]}}


# Section 6.
def identity(seed):
    author, box = public(seed[:32]), x25519_base(seed[32:])
    claim = b"\1" + author + box
    proof = sign(seed[:32], b"vereda identity\0" + claim)
    raw = claim + proof
    bits = int.from_bytes(raw + H(b"checksum", raw, n=6), "big")
    text = "".join("abcdefghijklmnopqrstuvwxyz234567"[bits >> shift & 31] for shift in range(1075, -1, -5))
    return {"seed": seed, "author": author, "box": box, "proof": proof, "text": "vereda1" + text}


def six_words(*parts):
    h = H(b"words", *parts, n=12)
    syllables = [c + v for c in "b ch d f k l m n p r s t".split() for v in "aeiou"]
    numbers = [int.from_bytes(h[i : i + 2], "big") % 3600 for i in range(0, 12, 2)]
    return " ".join(syllables[n // 60] + syllables[n % 60] for n in numbers)


def paper_key(paper):
    syllables = [c + v for c in "b ch d f k l m n p r s t".split() for v in "aeiou"]
    number = int.from_bytes(paper + H(b"checksum", paper, n=2), "big") >> 3
    numbers = [number // 3600**i % 3600 for i in range(11, -1, -1)]
    me = identity(H(b"paper", paper, n=64))
    return {"paper": paper, "words": " ".join(syllables[n // 60] + syllables[n % 60] for n in numbers),
            "author": me["author"], "box": me["box"]}


USES = """record id|body|group id|item|check|digest|summary|epoch key|body key|body auth|body mac|link psk|beacon|slot|mask|
stream|head|words|checksum|index|load|paper|vault|prologue|slip|receipt|temp""".replace("\n", "").split("|")


def fill(first, n):
    return bytes((first + i) % 256 for i in range(n))


def plain_json(v):
    return v.hex() if isinstance(v, bytes) else {k: plain_json(x) for k, x in v.items()} if isinstance(v, dict) else (
        [plain_json(x) for x in v] if isinstance(v, list) else v)


def main():
    seed = fill(1, 64)
    me = identity(seed)
    hashes = [{"use": "vereda " + use, "input": fill(i, 100), "plain": H(use.encode(), fill(i, 100)),
               "keyed16": H(use.encode(), fill(i, 100), key=fill(3, 32), n=16)} for i, use in enumerate(USES)]

    contents = [
        {"bytes": content("message", {"text": "Llegaron bien. Ñandú, €, 🌱"})},
        {"bytes": content("alert", {"headline": "Hombres armados en la vereda", "severity": "severe", "status": "actual"})},
        {"bytes": content("all", {"a": "", "b": True, "c": False, "d": 2**63, "e": b"", "f": [], "g": ["x", 7, b"y"],
                                  "a" * 32: 128, "replaces": [fill(9, 32)], "about": fill(8, 32)})},
        {"bytes": content("x" * 32, {"f%03d" % i: i for i in range(128)})},
    ]

    bodies = []
    for n in (0, 1, 28, 30, 125, 126, 127, 254, 300, 7000, 57341, 61441, 63642):
        f = {"audience": 1 + n % 2, "epoch": fill(n, 8), "key": fill(n + 1, 32), "nonce": fill(n + 2, 24), "ad": fill(n, 50)}
        body = seal(f["audience"], f["epoch"], f["key"], f["nonce"], f["ad"], noise(n, n))
        # Long ones by their hash: BLAKE2b of the envelope, personalised as a record's body hash is.
        bodies.append({**f, "content_bytes": n, "content_first": n % 256, "bytes": len(body),
                       **({"body": body} if n < 300 else {}), "hash": H(b"body", body)})

    # The frames are zstd's: what another version makes may be shorter, what this one made must open for ever.
    packed = []
    for text, frame in (
        ("Llegaron hombres armados a la vereda El Mango; preguntan por los líderes.",
         "205cad0000084a06fc97952f245cb3e09ac41a5a05c90742e34f"),
        ("a" * 1000, "60fb027500001803e86102fce4f1fe13a652ac06"),
    ):
        f = {"audience": 1, "epoch": fill(1, 8), "key": fill(2, 32), "nonce": fill(3, 24), "ad": fill(4, 50)}
        packed.append({**f, "content": content("message", {"text": text}), "frame": bytes.fromhex(frame),
                       "body": seal(f["audience"], f["epoch"], f["key"], f["nonce"], f["ad"], bytes.fromhex(frame), packing=1)})

    named = []
    for n, count in ((0, 1), (20, 2), (100, 7), (28, 16), (63642, 16)):
        f = {"epoch": fill(n, 8), "nonce": fill(n + 2, 24), "seed": fill(n + 3, 32), "ad": fill(n, 50),
             "secrets": [fill(n + i, 32) for i in range(count)]}
        body = seal_named(f["epoch"], [x25519_base(s) for s in f["secrets"]], f["nonce"], f["seed"], f["ad"], noise(n, n))
        named.append({**f, "content_bytes": n, "content_first": n % 256, "bytes": len(body),
                      **({"body": body} if n < 300 else {}), "hash": H(b"body", body)})

    group = H(b"group id", me["author"], fill(7, 32))
    base = {"version": 1, "group": group, "author": me["author"], "lane": 2, "seq": 1, "prev": b"", "time_ms": 1700000000123,
            "expires": None, "ext": b""}
    records = []
    for change, body, more in (
        ({}, b"", ()),
        ({"lane": 0}, contents[0]["bytes"], ()),
        ({"seq": 2, "prev": fill(77, 32), "lane": 1, "expires": 20000}, None, ()),
        ({"seq": 2**53 - 1, "time_ms": 2**53 - 1, "expires": 2**32 - 1, "lane": 3}, fill(5, 64512), ()),
        ({"ext": fill(1, 256)}, b"x", ()),
        ({"ext": b"\1" + fill(9, 32), "lane": 1}, b"redaction", ()),
        ({"version": 2}, b"newer", ()),
        ({"version": 15}, b"newer", ([1, [2, [b"3"]]], "four", None, True, 5)),
    ):
        f = {**base, **change}
        if body is None:
            body = seal(1, fill(1, 8), fill(2, 32), fill(3, 24), pack(header9(f)), contents[1]["bytes"])
        raw, record_id = record(seed[:32], f, body, more)
        cut = {"body": body} if len(body) < 1000 else {"body_first": body[0]}
        head = raw[: len(raw) - len(body)]
        records.append({**f, "body_bytes": len(body), **cut, "header_and_signature": head, "id": record_id,
                        "ad": pack(header9(f))})

    root = {"hash": hashes, "identity": me, "group_id": {"founder": me["author"], "salt": fill(7, 32), "id": group},
            "words": {"group": fill(1, 32), "coordinator": fill(2, 32), "newcomer": fill(3, 32), "grant": fill(4, 32),
                      "text": six_words(fill(1, 32), fill(2, 32), fill(3, 32), fill(4, 32))},
            "paper": [paper_key(p) for p in (bytes(16), b"\xff" * 16, fill(1, 16), fill(240, 16))],
            "content": contents, "body": bodies, "packed": packed, "named": named, "record": records,
            "compact": compact_stream(group), "slip": [slip(fill(60 + n, 32), group, n, n) for n in (0, 1, 30, 210, 250, 1200)],
            "receipt": receipts(seed[:32], group), "attachment": attachments(seed[:32], base)}
    with open(__file__[:-3] + ".json", "w") as out:
        json.dump(plain_json(root), out, indent=1)
        out.write("\n")


if __name__ == "__main__":
    main()

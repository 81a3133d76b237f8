#!/usr/bin/env python3
"""Writes link.json: a whole session's first bytes and beacons, computed from proto/PROTOCOL.md, sections 8 and 10, alone.

Shares no code with proto/, so that the C and the text check each other. First repeats every vector of noise.json, and adds the
two for XXpsk0, which nobody publishes, where they are missing. Needs Python's cryptography package."""
import hashlib
import hmac
import json
import os

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = os.path.dirname(os.path.abspath(__file__))
PATTERNS = {
    "NN": ("", "", ["e", "e ee"]),
    "XX": ("", "", ["e", "e ee s es", "s se"]),
    "KK": ("s", "s", ["e es ss", "e ee se"]),
    "IK": ("", "s", ["e es s ss", "e ee se"]),
}


def raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def public(secret):
    return raw(X25519PrivateKey.from_private_bytes(secret))


def dh(secret, point):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(point))


def hkdf(key, data, count):
    key = hmac.digest(key, data, "sha256")
    out = [b""]
    for i in range(count):
        out.append(hmac.digest(key, out[-1] + bytes([i + 1]), "sha256"))
    return out[1:]


def aead(key, number, plain, ad=b""):
    return ChaCha20Poly1305(key).encrypt(bytes(4) + number.to_bytes(8, "little"), plain, ad)


class Symmetric:
    def __init__(self, name):
        name = name.encode()
        self.h = name.ljust(32, b"\0") if len(name) <= 32 else hashlib.sha256(name).digest()
        self.ck, self.k, self.n = self.h, None, 0

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, data):
        (self.ck, self.k), self.n = hkdf(self.ck, data, 2), 0

    def mix_key_and_hash(self, data):
        (self.ck, middle, self.k), self.n = hkdf(self.ck, data, 3), 0
        self.mix_hash(middle)

    def encrypt(self, plain):
        sealed = plain
        if self.k:
            sealed = aead(self.k, self.n, plain, self.h)
            self.n += 1
        self.mix_hash(sealed)
        return sealed


def handshake(name, prologue, psks, initiator, responder, payloads):
    """Each side is (static secret, ephemeral secret). Gives the messages, the handshake hash and both sending keys."""
    pattern = name.split("_")[1]
    before_i, before_r, messages = PATTERNS[pattern[:2]]
    messages = [m.split() for m in messages]
    places = [int(p.removeprefix("psk")) for p in pattern[2:].split("+") if p]
    for place in places:
        if place:
            messages[place - 1].append("psk")
        else:
            messages[0].insert(0, "psk")
    state, psks, out = Symmetric(name), list(psks), []
    state.mix_hash(prologue)
    if before_i:
        state.mix_hash(public(initiator[0]))
    if before_r:
        state.mix_hash(public(responder[0]))
    for i, tokens in enumerate(messages):
        s, e = responder if i % 2 else initiator
        message = b""
        for token in tokens:
            if token == "e":
                message += public(e)
                state.mix_hash(public(e))
                if places:
                    state.mix_key(public(e))
            elif token == "s":
                message += state.encrypt(public(s))
            elif token == "psk":
                state.mix_key_and_hash(psks.pop(0))
            else:
                mine, theirs = ("se".index(t) for t in token)
                state.mix_key(dh(initiator[mine], public(responder[theirs])))
        out.append(message + state.encrypt(payloads[i]))
    return out, state.h, hkdf(state.ck, b"", 2)


def unhex(vector, name):
    return bytes.fromhex(vector.get(name, "00" * 32))


def noise_messages(vector):
    payloads = [bytes.fromhex(m["payload"]) for m in vector["messages"]]
    out, h, keys = handshake(
        vector["protocol_name"], unhex(vector, "init_prologue"), map(bytes.fromhex, vector.get("init_psks", [])),
        (unhex(vector, "init_static"), unhex(vector, "init_ephemeral")),
        (unhex(vector, "resp_static"), unhex(vector, "resp_ephemeral")), payloads)
    sent = [0, 0]
    for i in range(len(out), len(payloads)):
        out.append(aead(keys[i % 2], sent[i % 2], payloads[i]))
        sent[i % 2] += 1
    return out, h


def named(text):
    return hashlib.sha256(text.encode()).hexdigest()


def computed(payloads):
    psks = [named("psk")]
    vector = {
        "protocol_name": "Noise_XXpsk0_25519_ChaChaPoly_SHA256",
        "init_prologue": named("prologue"), "init_psks": psks, "init_static": named("is"), "init_ephemeral": named("ie"),
        "resp_prologue": named("prologue"), "resp_psks": psks, "resp_static": named("rs"), "resp_ephemeral": named("re"),
        "messages": [{"payload": p.encode().hex()} for p in payloads], "source": "computed",
    }
    messages, h = noise_messages(vector)
    for m, sealed in zip(vector["messages"], messages):
        m["ciphertext"] = sealed.hex()
    vector["handshake_hash"] = h.hex()
    return vector


def check_noise():
    path = os.path.join(HERE, "noise.json")
    with open(path) as f:
        data = json.load(f)
    data["vectors"] = [v for v in data["vectors"] if v["source"] != "computed"]
    for vector in data["vectors"]:
        messages, h = noise_messages(vector)
        assert [m.hex() for m in messages] == [m["ciphertext"] for m in vector["messages"]], vector["protocol_name"]
        assert h.hex() == vector.get("handshake_hash", h.hex())
    after = ["request", "answer", ""]
    data["vectors"] += [computed(["", "", ""] + after), computed(["first", "second", "third"] + after)]
    write(path, data)


def hashed(use, size, key, *parts):
    return hashlib.blake2b(b"".join(parts), digest_size=size, key=key, person=use.encode().ljust(16, b"\0")).digest()


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


class Sender:
    def __init__(self, key):
        self.key, self.n = key, 0

    def message(self, kind, payload):
        stream, out = varint(len(payload) + 1) + bytes([kind]) + payload, b""
        while stream:
            sealed = aead(self.key, self.n, stream[:16384])
            self.n += 1
            out += len(sealed).to_bytes(2, "big") + sealed
            stream = stream[16384:]
        return out


def places(count, drawn):
    place = list(range(count))
    for left in range(count, 1, -1):
        drawn, pick = divmod(drawn, left)
        place[pick], place[left - 1] = place[left - 1], place[pick]
    return place, drawn


def prologue_of(links, seed):
    """Of who is in groups with these link keys, each that of its epoch to write with."""
    place, first = places(4, int.from_bytes(seed[96:], "big"))
    tags = [seed[16 + 4 * i:20 + 4 * i] for i in range(4)]
    for i in range(min(4, len(links))):
        tags[place[i]] = hashed("vereda prologue", 4, links[(first + i) % len(links)], seed[:16])
    return seed[:16] + b"".join(tags)


def device(village, person):
    return Ed25519PrivateKey.from_private_bytes(bytes([village, person, 1]).ljust(32, b"\0"))


def village(number):
    """Id and first link key of the group that tests/village.h founds under that number."""
    group = hashed("vereda group id", 32, b"", raw(device(number, 0)), bytes([number, 2]).ljust(32, b"\0"))
    return group, b"\0" + group[:8] + bytes([1]) * 23


def prologue(count, number):
    seed = bytes((number + 7 * i) % 256 for i in range(104))
    return {"villages": count, "seed": seed.hex(), "prologue": prologue_of([village(1 + i)[1] for i in range(count)], seed).hex()}


def session(call_back=b""):
    """The group that tests/village.h founds as number 1: the hub answers, the member calls, or calls back."""
    hub, member = (device(1, person) for person in (0, 1))
    group, link = village(1)
    psk = hashed("vereda link psk", 32, link, group, call_back)
    seeds = [bytes((first + 3 * i) % 256 for i in range(104)) for first in (1, 101)]
    keys = [(seed[32:64], seed[64:96]) for seed in seeds]
    prologue = prologue_of([link], seeds[1])
    messages, h, sending = handshake("Noise_XXpsk0_25519_ChaChaPoly_SHA256", prologue, [psk], *keys, [b""] * 3)
    senders = [Sender(key) for key in sending]

    def proof(role, who):
        return senders[role - 1].message(1, raw(who) + who.sign(b"vereda session\0" + bytes([role]) + h))

    long = bytes(i * 7 % 256 for i in range(20000))
    return {
        "group": group.hex(), "link_key": link.hex(), "psk": psk.hex(),
        "initiator": {"author": raw(member).hex(), "seed": seeds[0].hex()},
        "responder": {"author": raw(hub).hex(), "seed": seeds[1].hex()},
        "handshake_hash": h.hex(),
        "initiator_sends": (messages[0] + messages[2] + proof(1, member) + senders[0].message(2, b"hello")).hex(),
        "responder_sends": (prologue + messages[1] + proof(2, hub) + senders[1].message(14, b"\0")).hex(),
        "long_message": {"about": "then the initiator sends type 7, 20,000 bytes, byte i = 7 i mod 256: H_body of its frames",
                         "bytes": len(frames := senders[0].message(7, long)), "hash": hashed("vereda body", 32, b"", frames).hex()},
    }


def beacon(count, address, number):
    links = [bytes([0x40 + i]) * 32 for i in range(count)]
    seed = bytes((number + 5 * i) % 256 for i in range(88))
    port, family = (4711).to_bytes(2, "big"), bytes([4 if len(address) == 4 else 6])
    tags, (place, _) = [seed[16 + 8 * i:24 + 8 * i] for i in range(8)], places(8, int.from_bytes(seed[80:], "big"))
    for i, link in enumerate(links[:8]):
        tags[place[i]] = hashed("vereda beacon", 8, link, seed[:16], family, address, port)
    return {"link_keys": [link.hex() for link in links], "address": address.hex(), "port": 4711, "seed": seed.hex(),
            "packet": (seed[:16] + port + b"".join(tags)).hex()}


def write(path, data):
    with open(path, "w") as f:
        json.dump(data, f, indent=1)
        f.write("\n")


def main():
    check_noise()
    v4, v6 = bytes([192, 0, 2, 7]), bytes.fromhex("fe800000000000000000000000000001")
    write(os.path.join(HERE, "link.json"), {
        "about": "PROTOCOL.md sections 8 and 10, written by link.py. Prologues of who is in villages 1, 2, …; a beacon's seed: nonce, eight decoys, a u64 that draws the places.",
        "session": session(),
        "call_back": session(b"\1"),
        "prologues": [prologue(n, 10 * n + k) for n in (0, 1, 2, 4, 6) for k in (0, 1)],
        "beacons": [beacon(n, address, n + 1) for n in (0, 1, 3, 8, 10) for address in (v4, v6)],
    })


main()

#!/usr/bin/env python3
"""Writes membership.json: histories of groups that quarrel, and what every reader must make of them, computed from proto/PROTOCOL.md
section 6 ("Which acts count, and who holds which role") alone, the slow and literal way.

Shares no code with proto/. Only Python's standard library."""
import json
import random

from group import Group, commits
from records import fill, identity, plain_json, seal

COORDINATOR, MEMBER, REPORTER, COURIER = 1, 2, 3, 4
KEYS = {0: 0, COORDINATOR: 7, MEMBER: 7, REPORTER: 3, COURIER: 1}
NONCE = fill(9, 24)


class Act:
    def __init__(self, record_id, author, kind, fields, refs, seq):
        self.id, self.author, self.kind, self.fields, self.refs, self.seq = record_id, author, kind, fields, refs, seq
        self.prev = refs[0] if seq > 1 and refs else b""


class Reader:
    """What a set of acts says. Sets of ids throughout; nothing is remembered between questions."""

    def __init__(self, acts):
        self.acts = {a.id: a for a in acts}
        self.depths, self.pasts = {}, {}
        for i in self.acts:
            self.past(i)
        self.order = sorted(self.acts, key=self.place)
        self.founding = next(i for i in self.order if self.acts[i].kind == "group" and "salt" in self.acts[i].fields)
        self.founder = self.acts[self.founding].author
        self.grants = {i: self.grant_of(i) for i in self.order if self.grant_of(i)}
        self.devices = []
        for i in self.grants:
            if self.grants[i][0] not in self.devices:
                self.devices.append(self.grants[i][0])
        self.make_ranks()
        everybody = self.reached(None)
        self.hanging = {a: everybody - self.reached(a) for a in everybody}  # who hangs on a
        self.decide()

    def past(self, i):
        if i not in self.pasts:
            refs = [r for r in self.acts[i].refs if r in self.acts]
            self.pasts[i] = set(refs).union(*(self.past(r) for r in refs))
            self.depths[i] = 1 + max((self.depths[r] for r in refs), default=0)
        return self.pasts[i]

    def place(self, i):
        return self.depths[i], i

    def grant_of(self, i):
        """device, role, person, flags"""
        a = self.acts[i]
        if a.kind == "group" and "salt" in a.fields:
            return a.author, COORDINATOR, a.fields["person"], 0
        if a.kind == "grant":
            return a.fields["device"], a.fields["role"], a.fields["person"], a.fields["flags"]
        return None

    # What depends on no decision.

    def make_ranks(self):
        self.rank, self.tree_grant = {self.founder: 0}, {self.founder: self.founding}
        level = 0
        while True:
            found = {}
            for i, (device, role, _, _) in self.grants.items():
                if role == COORDINATOR and device not in self.rank and self.rank.get(self.acts[i].author) == level:
                    found.setdefault(device, i)  # the first in control order
            if not found:
                return
            level += 1
            for device, i in found.items():
                self.rank[device], self.tree_grant[device] = level, i

    def seniority(self, device):
        return self.rank[device], self.place(self.tree_grant[device])

    def reached(self, without):
        """Coordinators to whom a chain of grants leads that does not lead over one."""
        found = {self.founder} - {without}
        while True:
            more = {d for i, (d, role, _, _) in self.grants.items() if role == COORDINATOR and self.acts[i].author in found} - {without}
            if more <= found:
                return found
            found |= more

    def two_voices(self, a, b):
        if a == b or self.founder in (a, b) or any({a, b} <= self.hanging[c] for c in self.hanging if c != self.founder):
            return False
        named = {person for i, (device, _, person, _) in self.grants.items() if device in (a, b)
                 and self.acts[i].author not in self.hanging[a] | self.hanging[b]}
        return len(named) > 1

    # What is decided.

    def removes(self, r, device):
        f = self.acts[r].fields
        return device in f["devices"] or any(g[0] == device and g[2] == f.get("person") for g in self.grants.values())

    def meets(self, r, g):
        f = self.acts[r].fields
        return self.grants[g][0] in f["devices"] or self.grants[g][2] == f.get("person")

    def accepted(self, x, D):
        for r in D:
            if not self.removes(r, self.acts[x].author):
                continue
            for head in self.acts[r].fields["heads0"]:
                while head in self.acts and self.acts[head].author == self.acts[x].author:
                    if head == x:
                        return True
                    head = self.acts[head].prev
        return False

    def backed(self, x, C):
        return any(self.acts[y].kind == "approve" and self.acts[y].fields["about"] == x and self.two_voices(self.acts[x].author, self.acts[y].author) for y in C)

    def strength(self, x, C):
        """How senior an act is judged."""
        if any(self.acts[y].kind == "approve" and self.acts[y].fields["about"] == x and self.acts[y].author == self.founder for y in C):
            return self.seniority(self.founder)
        return self.seniority(self.acts[x].author)

    def stands(self, g, D, C):
        device = self.grants[g][0]
        for r in D:
            if not self.meets(r, g):
                continue
            if r not in self.past(g):
                return False
            if device not in self.acts[r].fields["devices"] or self.backed(g, C):
                continue
            backed, rank = D[r]
            if backed or self.strength(g, C) > rank:
                return False
        return True

    def counting(self, D):
        C, grew = {self.founding}, True
        while grew:
            grew = False
            for x in self.order:
                if x in C:
                    continue
                own = [g for g in C if g in self.grants and self.grants[g][:2] == (self.acts[x].author, COORDINATOR)]
                if any(self.stands(g, D, C) for g in own) or (own and self.accepted(x, D)):
                    C.add(x)
                    grew = True
        return C

    def decide(self):
        D, left = {}, [i for i in self.order if self.acts[i].kind == "revoke"]
        while left:
            C = self.counting(D)
            r = min(left, key=lambda i: (not self.backed(i, C), self.strength(i, C), self.place(i)))
            left.remove(r)
            if r in C:
                D[r] = self.backed(r, C), self.strength(r, C)
        C = self.counting(D)
        self.D, self.C = D, C
        self.counts = {i for i in C if self.acts[i].kind != "revoke"} | set(D)
        self.standing = {g for g in self.grants if g in C and self.stands(g, D, C)}
        self.role = {d: self.most_of(d, self.standing) for d in self.devices}
        self.most = {d: self.most_of(d, {g for g in self.grants if g in C}) for d in self.devices}
        self.person = {d: self.person_of(d) for d in self.devices}
        self.make_focal()
        self.make_epoch()

    def most_of(self, device, grants):
        return min((self.grants[g][1] for g in grants if self.grants[g][0] == device), default=0)

    def person_of(self, device):
        own = [g for g in self.grants if self.grants[g][0] == device]
        for among in ([g for g in own if g in self.standing], [g for g in own if g in self.C], own):
            if among:
                return self.grants[min(among, key=lambda g: (self.seniority(self.acts[g].author), self.place(g)))][2]

    def make_focal(self):
        marked = {self.person[self.grants[g][0]] for g in self.standing if self.grants[g][3] & 1}
        if not marked:
            marked = {self.person[d] for d in self.devices if self.role[d] == COORDINATOR}
        self.focal = {d for d in self.devices if self.role[d] and self.person[d] in marked}

    def has(self, device, start):
        """Is that epoch sealed to the device, with what its role gets?"""
        f = self.acts[start].fields
        parts = [i for i in self.counts if self.acts[i].fields.get("commits") == f["commits"] and
                 (i == start or self.acts[i].fields.get("of") == start[:8])]
        own = [g for g in self.grants if self.grants[g][0] == device]
        same = [g for g in own if KEYS[self.grants[g][1]] == KEYS[self.role[device]]]
        return any(e[:32] == device and (same == own or any(g in self.standing and g in self.past(i) for g in same))
                   for i in parts for e in self.acts[i].fields["keys"])

    def lacking(self):
        start = next((i for i in self.order if i[:8] == self.epoch), None)
        return {d for d in self.devices if self.role[d] and start and not self.has(d, start)}

    def make_epoch(self):
        starts = [i for i in self.order if i in self.counts and "commits" in self.acts[i].fields and "of" not in self.acts[i].fields]
        self.epoch, self.clean = (starts[-1][:8] if starts else b""), False
        for i in reversed(starts):
            f = self.acts[i].fields
            parts = [f] + [self.acts[c].fields for c in self.counts if self.acts[c].fields.get("of") == i[:8]
                           and self.acts[c].fields["commits"] == f["commits"]]
            if all(self.role.get(e[:32], 0) for p in parts for e in p["keys"]):
                self.epoch, self.clean = i[:8], True
                return

    def accepted_heads(self, device, lane):
        if self.role[device]:
            return []
        return sorted({h for r in self.D if self.removes(r, device) for h in self.acts[r].fields["heads%d" % lane]})


class World:
    """Devices with views of their own, which write, meet, fall out and cheat."""

    def __init__(self, people):
        self.people = people
        self.acts, self.views = [], [set() for _ in people]
        salt = fill(7, 32)
        self.group = Group(people[0], salt)
        self.salt = salt
        self.epochs = 0
        self.act(0, "group", {"box": people[0]["box"], "person": self.person(0), "salt": salt})
        self.epoch(0, [0])

    def person(self, n):
        return fill(100 + n, 16)

    def act(self, by, kind, fields, seen=None, fork=None):
        who = self.people[by]
        known = [a for a in self.acts if a.id in self.views[by]]
        named = {r for a in known for r in a.refs}
        if seen is None:
            seen = sorted(a.id for a in known if a.id not in named)[:64]
        if fork is not None:
            self.group.chains[who["author"]] = fork
        seq, prev = self.group.chains.get(who["author"], (0, b""))
        i = self.group.write(who, kind, fields, seen)
        self.acts.append(Act(i, who["author"], kind, fields, ([prev] if prev else []) + list(seen), seq + 1))
        self.views[by].add(i)
        return i

    def name(self, person=None):
        return seal(2, bytes(8), fill(1, 32), NONCE, b"vereda name" + (person or self.group.id), b"x")

    def keys(self):
        self.epochs += 1
        return commits([fill(30 + self.epochs, 32)] * 3)

    def entries(self, devices):
        return [self.people[d]["author"] + bytes(145) for d in devices]

    def epoch(self, by, devices, of=None, seen=None):
        fields = {"commits": self.keys(), "keys": self.entries(devices)}
        if of:
            fields = {"commits": next(a for a in self.acts if a.id == of).fields["commits"], "keys": self.entries(devices), "of": of[:8]}
        return self.act(by, "epoch", fields, seen)

    def grant(self, by, device, role, person=None, flags=0, **how):
        p = self.person(device if person is None else person)
        return self.act(by, "grant", self.group.grant(self.people[device], p, role, flags, self.name(p)), **how)

    def revoke(self, by, devices, person=None, accept=(), keys=(), heads1=(), **how):
        fields = {"commits": self.keys(), "keys": self.entries(keys), "devices": [self.people[d]["author"] for d in devices],
                  "heads0": sorted(accept), "heads1": sorted(heads1), "heads2": [], "heads3": [],
                  "reason": self.name(self.person(person) if person is not None else bytes(16))}
        if person is not None:
            fields["person"] = self.person(person)
        return self.act(by, "revoke", fields, **how)

    def approve(self, by, about, **how):
        return self.act(by, "approve", {"about": about}, **how)

    def heads(self, by, device):
        """Ends of a device's chain as `by` knows it."""
        own = [a for a in self.acts if a.id in self.views[by] and a.author == self.people[device]["author"]]
        prevs = {a.prev for a in own}
        return [a.id for a in own if a.id not in prevs]

    def meet(self, *who):
        both = set().union(*(self.views[w] for w in who))
        for w in who:
            self.views[w] = set(both)

    def meet_all(self):
        self.meet(*range(len(self.people)))

    def case(self, name):
        reader = Reader(self.acts)
        number = {p["author"]: n for n, p in enumerate(self.people)}
        lacking = reader.lacking()
        devices = [{"device": number[d], "lacks": d in lacking, "role": reader.role[d], "most": reader.most[d], "person": reader.person[d], "focal": d in reader.focal,
                    "accepted0": reader.accepted_heads(d, 0), "accepted1": reader.accepted_heads(d, 1)}
                   for d in reader.devices]
        acts = [{"id": i[:8], "counts": i in reader.counts} for i in reader.order]
        return {"name": name, "group": self.group.id, "records": [r["raw"] for r in self.group.records], "devices": devices,
                "acts": acts, "epoch": reader.epoch, "clean": reader.clean}


def story(people, name, tell):
    w = World(people)
    tell(w)
    return w.case(name)


def duel(w, backed):
    w.grant(0, 1, COORDINATOR)
    w.grant(0, 2, COORDINATOR)
    w.meet_all()
    ours = w.heads(1, 0)
    w.revoke(0, [1], 1, w.heads(0, 1), [0, 2])
    theirs = w.revoke(1, [0], 0, ours, [1, 2])
    w.meet_all()
    if backed:
        w.approve(2, theirs)


def puppets(w):
    """A seized coordinator admits its own voices; the founder acts after it saw them."""
    w.grant(0, 1, COORDINATOR)
    w.meet_all()
    w.grant(1, 2, COORDINATOR)
    w.grant(1, 3, COORDINATOR)
    w.meet(1, 2, 3)
    r = w.revoke(2, [0], 0, w.heads(2, 0)[:1])
    w.meet_all()
    w.approve(3, r)
    w.approve(1, r)
    w.meet_all()
    w.revoke(0, [1], 1, [])


def founders_word(w):
    """Two others remove each other; the founder says whose word holds."""
    w.grant(0, 1, COORDINATOR)
    w.grant(0, 2, COORDINATOR)
    w.meet_all()
    ours = w.heads(2, 1)
    w.revoke(1, [2], 2, w.heads(1, 2))
    r = w.revoke(2, [1], 1, ours)
    w.meet_all()
    w.approve(0, r)


def grown_voice(w):
    """The same line of admissions, grown slowly: others have built on it."""
    w.grant(0, 1, COORDINATOR)
    w.grant(0, 4, COORDINATOR)
    w.meet_all()
    w.grant(1, 2, COORDINATOR)
    w.meet_all()
    w.grant(4, 3, MEMBER)
    w.meet_all()
    r = w.revoke(1, [0], 0, w.heads(1, 0))
    w.meet_all()
    w.approve(2, r)
    w.meet(0)
    w.revoke(0, [1], 1, w.heads(0, 1))


def one_person(w):
    w.grant(0, 1, COORDINATOR)
    w.grant(0, 2, COORDINATOR, person=1)
    w.meet_all()
    r = w.revoke(1, [0], 0, w.heads(1, 0))
    w.meet_all()
    w.revoke(0, [1], 1, w.heads(0, 1))
    w.approve(2, r)


def relabelled(w):
    """The founder calls two people one, with a record that claims to have seen nothing."""
    w.grant(0, 1, COORDINATOR)
    w.grant(0, 2, COORDINATOR)
    w.meet_all()
    r = w.revoke(1, [0], 0, w.heads(1, 0))
    w.meet(1, 2)
    w.approve(2, r)
    chains = w.group.chains[w.people[0]["author"]]
    w.grant(0, 2, COORDINATOR, person=1, seen=[], fork=(0, b""))
    w.group.chains[w.people[0]["author"]] = chains
    w.revoke(0, [1], 1, [])


def restored(w, backed):
    for d in (1, 2, 3):
        w.grant(0, d, COORDINATOR)
    w.grant(0, 4, MEMBER)
    w.meet_all()
    r = w.revoke(1, [4], 4, [], [0, 1, 2, 3])
    w.meet_all()
    if backed:
        w.approve(3, r)
        w.meet_all()
    g = w.grant(2, 4, MEMBER)
    if backed:
        w.meet_all()
        w.approve(1, g)


def partition(w):
    w.grant(0, 1, COORDINATOR)
    w.grant(0, 2, MEMBER)
    w.grant(0, 3, MEMBER)
    w.meet_all()
    w.revoke(0, [2], 2, [], [0, 1, 3])
    w.revoke(1, [3], 3, [], [0, 1, 2])
    w.meet_all()


def partition_healed(w):
    partition(w)
    w.epoch(1, [0, 1])
    w.grant(0, 4, MEMBER)


def leaving(w):
    w.grant(0, 1, COORDINATOR)
    w.meet_all()
    w.grant(1, 2, MEMBER)
    w.revoke(1, [1], 1, w.heads(1, 1), [0, 2])
    w.meet_all()
    w.grant(1, 3, MEMBER)


def concurrent_device(w):
    """A member's second device, admitted without knowing of the removal, goes with the member; one admitted in full knowledge stays."""
    w.grant(0, 1, COORDINATOR)
    w.grant(0, 2, MEMBER)
    w.meet_all()
    w.grant(1, 3, MEMBER, person=2)
    w.revoke(0, [2], 2, [], [0, 1])
    w.meet_all()
    w.grant(1, 4, MEMBER, person=2)


def widening(w):
    w.grant(0, 1, COORDINATOR)
    w.grant(0, 2, REPORTER)
    w.grant(0, 3, MEMBER, flags=1)
    w.meet_all()
    w.grant(1, 2, MEMBER, person=3)
    w.grant(1, 3, COURIER, person=2, flags=0)


def forked(w):
    w.grant(0, 1, COORDINATOR)
    w.meet_all()
    chain = w.group.chains[w.people[1]["author"]] if w.people[1]["author"] in w.group.chains else (0, b"")
    w.grant(1, 2, MEMBER)
    w.grant(1, 3, MEMBER, fork=chain)
    w.meet_all()
    w.revoke(0, [1], 1, [a.id for a in w.acts if a.author == w.people[1]["author"]][:1], [0, 2, 3])


def chance(people, seed):
    """Anybody does anything."""
    r = random.Random(seed)
    w = World(people[: r.randint(3, 5)])
    n = len(w.people)
    coordinators = [0]
    for d in range(1, r.randint(1, n)):
        w.grant(0, d, COORDINATOR)
        coordinators.append(d)
    w.meet_all()
    for _ in range(r.randint(5, 11)):
        by = r.choice(coordinators)
        known = [a for a in w.acts if a.id in w.views[by]]
        if not known:
            continue
        evil = r.random() < 0.15
        how = {}
        if evil and r.random() < 0.5:
            how["seen"] = []
        if evil and w.people[by]["author"] in w.group.chains:
            chain = [a for a in w.acts if a.author == w.people[by]["author"]]
            at = r.choice(chain)
            how["fork"] = (at.seq, at.id)
        what, device = r.random(), r.choice([d for d in range(n) if d != by or r.random() < 0.05] or [by])
        if what < 0.3:
            role = r.choice([COORDINATOR, COORDINATOR, COORDINATOR, MEMBER, REPORTER])
            w.grant(by, device, role, person=r.choice([device, device, device, r.randrange(n)]), flags=r.choice([0, 0, 1]), **how)
            if role == COORDINATOR and device not in coordinators:
                coordinators.append(device)
                w.views[device] |= w.views[by]
        elif what < 0.65:
            heads = w.heads(by, device)
            own = [a.id for a in known if a.author == w.people[device]["author"]]
            accept = r.choice([heads, heads, own[:1], []])
            w.revoke(by, [device], r.choice([device, None]), accept, r.sample(range(n), 1), heads1=[fill(len(w.acts), 32)], **how)
        elif what < 0.95:
            w.approve(by, r.choice([a for a in known if a.kind == r.choice(["revoke", "revoke", "grant"])] or known).id, **how)
        else:
            w.epoch(by, r.sample(range(n), min(2, n)))
        if r.random() < 0.6:
            w.meet(*r.sample(range(n), 2))
        elif r.random() < 0.3:
            w.meet_all()
    return w.case("chance %d" % seed)


# Seeds whose histories have revocations that lose, second voices, or people restored.
CHANCES = (2636, 2672, 2341, 2062, 2727, 2548, 2459, 2372, 2307, 1747, 1242, 844)


def main():
    people = [identity(fill(n, 64)) for n in range(1, 6)]
    tales = [("the senior wins a duel", lambda w: duel(w, False)), ("two win over the founder", lambda w: duel(w, True)),
             ("puppets are no second voice", puppets), ("the founder's word", founders_word), ("a voice that others have built on", grown_voice),
             ("two devices of one person", one_person), ("two people called one", relabelled),
             ("a junior restores", lambda w: restored(w, False)), ("two restore what two removed", lambda w: restored(w, True)),
             ("a removal in each partition", partition), ("and the next epoch", partition_healed), ("leaving", leaving),
             ("devices of a removed member", concurrent_device), ("grants only add", widening), ("a fork, half accepted", forked)]
    cases = [story(people, name, tell) for name, tell in tales] + [chance(people, seed) for seed in CHANCES]
    root = {"seeds": [p["seed"] for p in people], "cases": cases}
    with open(__file__[:-3] + ".json", "w") as out:
        json.dump(plain_json(root), out, separators=(",", ":"), ensure_ascii=False)
        out.write("\n")


if __name__ == "__main__":
    main()

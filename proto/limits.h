/* Every bound of the protocol, with its unit and its reason. Nothing a peer or file sends may make us hold,
 * write or compute more than these say. */
#ifndef VD_LIMITS_H
#define VD_LIMITS_H

enum {
	/* sizes of fixed things */
	VD_ID_BYTES = 32,        /* record id, BLAKE2b-256 */
	VD_GROUP_BYTES = 32,     /* group id, BLAKE2b-256 of founder and salt */
	VD_KEY_BYTES = 32,       /* any public or symmetric key */
	VD_SECRET_SIGN_BYTES = 64, /* Ed25519 secret key as libsodium keeps it */
	VD_SIGNATURE_BYTES = 64,
	VD_HASH_BYTES = 32,
	VD_SALT_BYTES = 32,
	VD_PERSON_BYTES = 16,    /* a member, whatever devices they use */
	VD_EPOCH_BYTES = 8,      /* first bytes of the epoch record's id */
	VD_ITEM_BYTES = 8,       /* what a sketch holds for a record, and a want names: sketch.h says why that is enough */

	/* record: one always fits into one 64 KiB chunk with its framing */
	VD_LANES = 4,
	VD_VERSION = 1,          /* what we write */
	VD_VERSION_MAX = 15,     /* what we carry */
	VD_HEADER_FIELDS = 11,
	VD_HEADER_FIELDS_MAX = 16, /* newer versions may append up to five */
	VD_EXT_MAX = 256,        /* bytes of signed extension */
	VD_HEADER_MAX = 896,     /* bytes, newer versions included: twice what version 1 can need */
	VD_BODY_MAX = 63 * 1024, /* bytes: 60 KiB of attachment, its fields, its envelope */
	VD_RECORD_MAX = VD_HEADER_MAX + VD_SIGNATURE_BYTES + VD_BODY_MAX,

	/* content: what a body says */
	VD_DEPTH_MAX = 4,        /* nested arrays */
	VD_KIND_MAX = 32,        /* bytes of a kind's or field's name */
	VD_FIELDS_MAX = 128,     /* fields of one record */
	VD_LIST_MAX = 64,        /* values in one field; control heads, accepted heads */

	/* attachments */
	VD_ATTACHMENTS_MAX = 16,     /* of one record: as many photos as one sends of one thing */
	VD_ATTACHED_MIB = 64,        /* MiB of one record's attachments together: a minute of film; it is written in one transaction, held in memory */
	VD_ATTACHMENT_DATA = 15 * 1024 - 32, /* bytes of a file in one chunk: fills the bucket of 15 KiB, four go into a sealed file's chunk, and at 64 kB/s
	                              * an alert waits a quarter of a second for one */
	VD_ATTACHMENT_NAME_MAX = 120, /* bytes of a file's name: what every file system takes, with something to tell two of a name apart */
	VD_ATTACHMENT_NAME_RAW_MAX = 4096, /* … of what it is made of: a path */
	VD_ATTACHMENT_TYPE_MAX = 127,

	/* group */
	VD_NAME_MAX = 64,        /* bytes of a person's or group's name */
	VD_EPOCH_DEVICES = 16,   /* devices one epoch record is sealed to: keeps it a few kB */
	VD_EPOCH_KEYS = 3,       /* link, everyone, members */
	VD_EPOCH_PARTS_DAY = 256, /* records a coordinator's device seals older epochs on by in a day, unasked: 700 kB, whoever makes epochs by the thousand */
	VD_MEMBERS_MAX = 4096,   /* devices of one group: 20 times the largest network we know */
	VD_CONTROL_MAX = 65536,  /* control records of one group held in memory as state */

	/* named audience */
	VD_NAMED_SLOTS = 16,

	/* shares: what one author may take of our disk. Local policy, never validity; a person may set others */
	VD_AUTHOR_RECORDS = 1 << 20,  /* of one author in one lane; beyond it not even stubs */
	VD_AUTHOR_STRAYS = 4096,      /* the same for an author without a role, beyond what was accepted of theirs */
	VD_AUTHOR_DAY_MIB = 256,      /* MiB of bodies of one author that are taken in a day of ours; more wait as stubs */
	VD_RESERVE_MIB = 32,          /* of the disk, kept free for control records and wiping */
	VD_DECLINED_MAX = 64,         /* authors and lanes that one HELLO may say it declines */

	/* receipt */
	VD_RECEIPT_MAX = 16384,       /* bytes: some 1,400 spans, one for each author and lane in a group of hundreds of devices */
	VD_RECEIPT_DAYS = 30,         /* for which a device promises to keep bodies */
	VD_RECEIPTS_BYTES = 24 * 1024,/* of others' that an end of a session hands on at once, or one visit leaves on a stick: with them it still writes at most 96 KiB
	                               * more than a tenth above its records */
	VD_RECEIPTS_PACE_MS = 5000,   /* between two times that a session asks for them, is asked, or is told what the peer holds: half of VD_RECHECK_MS */
	VD_RECEIPTS_LATER_MS = 6000,  /* between two times that a session asks for them: longer than the pace */
	VD_WORD_BYTES = 4096,         /* of what an end says of itself, where it must name what it holds: some 350 spans */
	VD_RECEIPTS_WAIT_MS = 5000,   /* without a byte, that a sync with nothing else to do waits for them */

	/* redaction */
	VD_REDACT_DAYS = 30,          /* after it came and after its author's date, until the body may go */

	/* sealed file */
	VD_CHUNK_BYTES = 64 * 1024, /* on disk, MAC included */
	VD_SLOTS = 16,
	VD_SLOT_BYTES = 80,
	VD_HEAD_BYTES = VD_SALT_BYTES + VD_SLOTS * VD_SLOT_BYTES,
	VD_MASKS_NEWEST = 64,       /* link keys a device takes a slot of its own to be masked by: 2,304 X25519 for a file that is not ours … */
	VD_MASKS_OLDEST = 8,        /* … as are these; writers take the oldest it is sure to have */
	VD_PAPER_SLOTS = 8,         /* paper keys a bundle or segment has a slot for: the last granted */

	/* sketch */
	VD_SKETCH_SYMBOLS = 16320,  /* kept up to date per lane, 68 blocks: settles about 11,800 differences */
	VD_SKETCH_BLOCK = 240,      /* symbols the store keeps in one value: a page of 4 KiB, sealed or not */
	VD_SALTED_SYMBOLS_MAX = 262144, /* of a salted pass: 28 MiB at the decoding end while it runs */
	VD_LIST_BITS_MAX = 48,      /* of an item in a list: of 2^26 of them, 16,000 differing, one in ten lists has any taken for another */
	VD_LIST_ENTRIES_MAX = 1 << 26, /* of a list; who compares notes a bit for each */
	VD_SALTED_BYTES = 64 * 1024 * 1024, /* of all salted passes of a node at once; one runs whatever it takes */
	VD_SALTED_ALONE = 16384,    /* records of a lane from which on a session salts no other at the same time */
	VD_SALTED_RECORDS_MS = 8,   /* records a millisecond: what a device may make us pass over, a hundredth of a slow CPU */
	VD_SALTED_AHEAD_MS = 300000, /* … and how far ahead of that it may be */

	/* session */
	VD_FRAME_MAX = 65535,       /* bytes of one Noise message */
	VD_MESSAGE_MAX = 128 * 1024,/* bytes of one session message */
	VD_BATCH_RECORDS = 2048,    /* taken in before they are verified and committed together … */
	VD_BATCH_FIRST = 128,       /* … of a session's first batch; the next may be twice as many when this one needed fewer … */
	VD_BATCH_CHECKS = 128,      /* … signature checks, and half as many when it needed more than twice that: others wait meanwhile */
	VD_BATCH_BYTES = 1024 * 1024,
	VD_OUT_BYTES = 256 * 1024,  /* waiting to be sent, per session; then we stop producing */
	VD_ROUNDS_MAX = 8,          /* reconciliations of one session before it must have progressed */
	VD_EQUAL_BYTES = 1000,      /* that a sync of equal sets may take, both ways, handshake and all */
	VD_SYNC_BYTES = 700,        /* that finding out what differs may take with what an end says of itself, beyond the records … */
	VD_SYNC_RECORD_BYTES = 42,  /* … and for each record */
	VD_BATCH_MS = 1000,         /* a batch begun is committed after that, however small: a slow link keeps what it got */
	VD_RECHECK_MS = 10000,      /* after records were pushed, the sets are compared again */
	VD_RECHECK_MAX_MS = 600000, /* … and, twice as late each time up to that, after reconciling was given up */
	VD_ALIVE_MS = 20000,        /* of hearing without saying anything, then a sign of life: a third of VD_STALL_MS */
	VD_BODIES_MAX = 4096,       /* bodies asked for at once in one lane */
	VD_ECHO_IDS = 4096,         /* ids lately heard from a peer, not to be pushed back to it */
	VD_REFUSED_MAX = 4096,      /* records of a session that are not valid, beyond those that are; then it ends */
	VD_REFUSED_COST_MS = 10,    /* a device may make us verify a hundred records a second in vain: a hundredth of a CPU, a tenth of a slow one */
	VD_REFUSED_AHEAD_MS = 60000,/* … and how far ahead of that it may be; then it has to wait until half of that has passed */
	VD_PEERS_MAX = 64,          /* sessions open at once */
	VD_KNOWN_MAX = 256,         /* devices of which a node remembers what the last session with them learnt */
	VD_HALF_OPEN_MAX = 32,      /* of them, not yet proved */
	VD_PROVE_MS = 15000,        /* for handshake and proof of identity */
	VD_TAKE_MS = 600000,        /* for a device without a role to give its control records */
	VD_STALL_MS = 60000,        /* without a byte while one is owed */

	/* pool of records whose author is not known yet */
	VD_POOL_AUTHOR = 1024,   /* records of one author that may wait */
	VD_POOL_AUTHOR_BYTES = 2 * 1024 * 1024,
	VD_POOL_RECORDS = 4096,
	VD_POOL_BYTES = 8 * 1024 * 1024,
};

#endif

/* The error codes of every vereda function: 0 is success, failures are negative.
 *
 * A code says what kind of thing went wrong, so that the caller can decide; the words for people live in the
 * command line's catalogue. libuv, LMDB and libsodium codes are translated in the file that calls them. */
#ifndef VD_ERR_H
#define VD_ERR_H

enum vd_err {
	VD_OK = 0,
	VD_ENOMEM = -1,    /* memory refused; nothing changed */
	VD_EFORMAT = -2,   /* bytes are not the one canonical encoding of anything */
	VD_ECAP = -3,      /* a bound of limits.h would be crossed */
	VD_ESIGNATURE = -4,/* a signature, MAC or hash does not hold */
	VD_EGROUP = -5,    /* belongs to another group */
	VD_EAUTHOR = -6,   /* author not (yet) granted, or not entitled to this */
	VD_EKEY = -7,      /* no key of ours opens it */
	VD_EVERSION = -8,  /* made by a newer vereda: carry it, do not interpret it */
	VD_ENOTFOUND = -9, /* no such thing here */
	VD_EEXISTS = -10,  /* already there; nothing changed */
	VD_EAGAIN = -11,   /* not now: needs more input, room or time */
	VD_ECLOSED = -12,  /* the other side ended it */
	VD_ETORN = -13,    /* the end is missing; what is whole was kept */
	VD_EDAMAGED = -14, /* stored or carried bytes changed; what is whole was kept */
	VD_ENOSPACE = -15, /* disk or quota full; nothing acknowledged was lost */
	VD_EIO = -16,      /* the medium failed or went away */
	VD_EBUSY = -17,    /* another process holds it */
	VD_ENOSTORE = -18, /* no store at that place */
	VD_EINVAL = -19,   /* the caller's argument makes no sense */
	VD_EAMBIGUOUS = -20, /* several things match; a person must choose */
	VD_ECRYPTO = -21,  /* the crypto library fails our self-test: do not run */
	VD_EDENIED = -22,  /* the system does not permit it: owner, mode, or mounted read-only */
	VD_ESEALED = -23,  /* sealed to others, for good: no key that may come opens it */
};

/* A stable English word for the code ("format", "integrity"…), for logs and JSON; never NULL. */
const char *vd_err_name(int err);

#endif

#include "err.h"

const char *vd_err_name(int err)
{
	switch ((enum vd_err)err) {
	case VD_OK: return "ok";
	case VD_ENOMEM: return "memory";
	case VD_EFORMAT: return "format";
	case VD_ECAP: return "too-large";
	case VD_ESIGNATURE: return "signature";
	case VD_EGROUP: return "other-group";
	case VD_EAUTHOR: return "author";
	case VD_EKEY: return "no-key";
	case VD_EVERSION: return "newer-version";
	case VD_ENOTFOUND: return "not-found";
	case VD_EEXISTS: return "exists";
	case VD_EAGAIN: return "again";
	case VD_ECLOSED: return "closed";
	case VD_ETORN: return "torn";
	case VD_EDAMAGED: return "integrity";
	case VD_ENOSPACE: return "no-space";
	case VD_EIO: return "io";
	case VD_EBUSY: return "busy";
	case VD_ENOSTORE: return "no-store";
	case VD_EINVAL: return "usage";
	case VD_EAMBIGUOUS: return "ambiguous";
	case VD_ECRYPTO: return "crypto";
	case VD_EDENIED: return "permission";
	case VD_ESEALED: return "sealed";
	}
	return "unknown";
}

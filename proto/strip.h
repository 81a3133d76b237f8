/* What a picture says about who took it, where and with what: taken out, the picture itself kept as it is, bit by bit.
 *
 * JPEG (ITU-T T.81, JFIF 1.02, Exif 2.32): kept are the segments without which no decoder shows it: frame, tables, scans, restart interval, an Adobe
 * segment (it tells how colours are meant) and a JFIF segment without its thumbnail; of each no more bytes than it says it has. Everything else goes: Exif, XMP, IPTC, colour profiles,
 * comments, maker's segments, and whatever follows the end of the first image (previews, a film, MPF's further pictures). Of Exif one thing comes back, in
 * a segment of our own: which side is up, if that is not the first row.
 * PNG (third edition): kept are the critical chunks, transparency, the four chunks of a fixed size that say how colours are meant, and animation; a palette,
 * transparency and frames only where something is shown by them. Of eXIf, too, which side is up.
 * Not looked into is what only a decoder can tell from the picture: bytes behind the last of it, in a scan or in IDAT.
 * What lies in the picture itself (faces, signs, the marks of a sensor) stays: nothing here makes a picture anonymous. */
#ifndef VD_STRIP_H
#define VD_STRIP_H

#include "bytes.h"

/* Appends the picture without it to *out: never more than 64 bytes longer than `file`. VD_ENOTFOUND: neither a JPEG nor a PNG by its first bytes. VD_EFORMAT: one of them, but
 * cut off or malformed, so that nobody can say where what hides in it. VD_ENOMEM. *out unchanged on error. */
int vd_strip(struct vd_slice file, struct vd_buf *out);

enum vd_media_tells {
	VD_MEDIA_STRIPS,  /* vd_strip takes it out */
	VD_MEDIA_TELLS,   /* may tell place, time, device or author, and we cannot take it out */
	VD_MEDIA_SAYS,    /* plain text: nothing but what it says */
};
/* Media type (RFC 6838), by the file's first bytes, and by the name's ending where those do not tell. Lives for ever. */
const char *vd_media_type(struct vd_slice file, struct vd_slice name, enum vd_media_tells *tells);

#endif

/* Messages of a session by type. PROTOCOL.md section 8. */
#ifndef VD_MESSAGE_H
#define VD_MESSAGE_H

enum vd_message_type {
	VD_MSG_PROOF = 1,
	VD_MSG_HELLO,
	VD_MSG_LANES,
	VD_MSG_SYMBOLS,
	VD_MSG_MORE,
	VD_MSG_WANT,
	VD_MSG_RECORDS,
	VD_MSG_ALL,
	VD_MSG_SALTED,
	VD_MSG_LIST,
	VD_MSG_BODIES,
	VD_MSG_NOBODY,
	VD_MSG_SETTLED,
	VD_MSG_BYE,
	VD_MSG_ALIVE,
};

enum vd_bye { VD_BYE_DONE, VD_BYE_RULE, VD_BYE_SHUTDOWN, VD_BYE_BUSY };

enum vd_salted_how { VD_SALTED_SYMBOLS = 1, VD_SALTED_LIST = 2 };

#endif

/* What the commands share that say who belongs and who may do what. */
#ifndef VD_ADMIN_H
#define VD_ADMIN_H

#include "cli.h"
#include "store/bundle.h"

enum { VD_KEY_SHOWN = 4, VD_WHO_TEXT = VD_NAME_MAX + 1, VD_ROLE_TEXT = 96 };

/* --- member.c: whom a word means, and how people are called */

/* A member's name, or the first digits of the device's key where no name can be read. */
void vd_who(struct vd_group *, const uint8_t author[VD_KEY_BYTES], char out[VD_WHO_TEXT]);
void vd_who_person(struct vd_group *, const uint8_t person[VD_PERSON_BYTES], char out[VD_WHO_TEXT]);
/* "" where no name can be read. */
const char *vd_person_name(struct vd_group *, const uint8_t person[VD_PERSON_BYTES]);
/* May a member be given that name from now on? 0, or an exit code, having said why not: it would be taken for an option, a key, a word
 * that means many, or another member. */
int vd_cli_new_name(struct vd_cli *, const char *name);
/* The group's name, or words and the first digits of its id for who has no key to it. */
const char *vd_group_called(struct vd_cli *, struct vd_group *, char room[VD_WHO_TEXT]);
/* A role in words, and the mark that goes with it: "member, focal point". */
const char *vd_role_said(struct vd_cli *, enum vd_role, bool focal, char room[VD_ROLE_TEXT]);
/* More entitled is greater; NONE is 0. */
unsigned vd_role_rank(enum vd_role);
/* The most that any device of the person may do now; a paper key does not count unless `paper`. */
enum vd_role vd_person_role(struct vd_group *, const uint8_t person[VD_PERSON_BYTES], bool paper);
/* Has it no role because no admission of it counts: whoever made it had been removed? */
bool vd_device_fell(const struct vd_device *);
/* The role it has; of one that fell the role it was granted. */
enum vd_role vd_device_granted(struct vd_group *, const struct vd_device *);
/* Is device i the first of its person? Then it stands for the member. */
bool vd_first_of_person(struct vd_group *, size_t i);

/* A member, or one device of theirs when a key was named. */
struct vd_target {
	uint8_t person[VD_PERSON_BYTES];
	bool one_device;
	uint8_t device[VD_KEY_BYTES];
	char name[VD_WHO_TEXT];
};
/* Is it a device of the target that has no role and may be given one? Of a member who is in, or was removed, one that fell only when it was
 * named by its key: whoever admitted it may have meant no good. */
bool vd_restorable(struct vd_group *, const struct vd_device *, const struct vd_target *);
enum vd_among { VD_AMONG_ALL, VD_AMONG_IN, VD_AMONG_REMOVED };
/* By name, or by the first digits of a key. Where a word means several members and one alone is `among` those asked for, that one.
 * 0, or an exit code, having said what is wrong. */
int vd_cli_target(struct vd_cli *, struct vd_group *, const char *word, enum vd_among, struct vd_target *);
/* Does the word mean anybody, in or out? */
bool vd_member_known(struct vd_group *, const char *word);
/* One device of that person by the first digits of its key. */
int vd_cli_device(struct vd_cli *, struct vd_group *, const char *prefix, struct vd_target *);
/* An administrative act by the first digits of its id. */
int vd_cli_act(struct vd_cli *, struct vd_group *, const char *prefix, struct vd_act *out);
/* NULL: none of that id. */
const struct vd_act *vd_find_act(struct vd_group *, const struct vd_id *);

/* --- acting.c: before and after an act */

/* 0: this device may act as a coordinator, or was one (`ever`) and may say so; else an exit code, having said why not. */
int vd_cli_coordinator(struct vd_cli *, struct vd_group *, bool ever);
/* 0: go on. This device's acts have forked and somebody else could act instead: wants --yes. */
int vd_cli_brake(struct vd_cli *, struct vd_group *);
/* What a device does unasked, said in a line. Failing to is no failure of the command. */
void vd_cli_tend_group(struct vd_cli *, struct vd_group *);
/* The same before an act that makes new keys: that none could be made unasked is no news then. */
void vd_cli_tend_before_keys(struct vd_cli *, struct vd_group *);
/* After records came or may have, in any number. */
void vd_cli_tend(struct vd_cli *);
/* The same for who has loaded the groups, or could not for that reason. */
void vd_cli_tend_loaded(struct vd_cli *, const struct vd_bundle_groups *, int rc);
/* Where nothing is taken in any more: lets go of what others keep, if there is something. */
void vd_cli_make_room(struct vd_cli *);
/* Only what falls due by time alone, also on a device that nothing comes to. Hardly anything when nothing is due. */
void vd_cli_tend_due(struct vd_cli *);

/* --- act_text.c: an administrative act in words */

/* Why an act does not do what it says, as far as can be told. */
enum vd_act_state {
	VD_ACT_HOLDS,
	VD_ACT_WAITS,        /* a second coordinator's word would make it count */
	VD_ACT_AUTHOR_OUT,   /* its author had been removed */
	VD_ACT_OUTRANKED,
	VD_ACT_UNREADABLE,   /* malformed, or of a newer version */
};
enum vd_act_state vd_act_state(struct vd_group *, const struct vd_act *);
const char *vd_act_word(enum vd_act_kind);
/* Appends who did what to whom, in a sentence without its end. */
void vd_act_text(struct vd_cli *, struct vd_group *, const struct vd_act *, struct vd_buf *out);
/* With the founder nobody makes a second voice. */
bool vd_is_founder(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Has this device approved it? */
bool vd_act_said(struct vd_group *, const struct vd_act *);
/* Is it a grant to a removed device that was made in knowledge of its removal? */
bool vd_act_restores(struct vd_group *, const struct vd_act *);

/* --- cmd_paper.c: two of the command `group`, and the words back */

int vd_group_paper(struct vd_cli *);
int vd_group_recover(struct vd_cli *);
/* The identity of the words that --words-file, standard input or a person gives: for the caller to wipe. 0, or an exit code, having said what is wrong. */
int vd_cli_paper(struct vd_cli *, struct vd_identity *out);

/* --- ask.c: a person at a terminal */

bool vd_can_ask(const struct vd_cli *);
/* A line without its end into room, NUL behind it; the prompt has two places. `hidden`: it does not appear on the terminal, which is as before afterwards.
 * False at the end of input, when interrupted, or when it does not fit. */
bool vd_ask(struct vd_cli *, bool hidden, char *room, size_t cap, enum vd_msg, const char *first, const char *second);

/* --- qr.c */

/* On standard output, in blocks, with small letters as capitals: for text that is read in either case. Dark on light on paper and in a file, and on a
 * terminal that has colours. 0 or an exit code. */
int vd_say_qr(struct vd_cli *, const char *text);

#endif

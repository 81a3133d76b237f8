#include "locked.h"

#include <sodium.h>
#include <string.h>

#include "log.h"
#include "proto/err.h"

enum {
	LOCK_S = 2,            /* for the goodbyes and the running commit; then it is locked as by a power cut */
};

static void put_words(struct vd_buf *answer, const char *words)
{
	vd_buf_put_slice(answer, vd_slice_str(words));
}

static void lend_key(const struct daemon *d, struct vd_buf *answer)
{
	char hex[2 * VD_VAULT_KEY_BYTES + 1];

	put_words(answer, "key ");
	vd_hex(hex, vd_vault_key(vd_store_vault(d->store)), VD_VAULT_KEY_BYTES);
	put_words(answer, hex);
	sodium_memzero(hex, sizeof hex);
}

static int open_with(struct daemon *d, const struct vd_secret *secret)
{
	int rc = vd_store_open_with(d->conf->home, secret, &d->store);

	if (!rc)
		vd_panic_vault(vd_store_readable(d->store) ? NULL : vd_store_vault(d->store));
	return rc;
}

/* What is to be passed on, as of now: from here on this process can be locked at any moment. */
int vd_locked_prepare(struct daemon *d)
{
	int rc = vd_ctl_pass(d->ctl, &d->passed.ctl);

	if (d->bound_count) {
		memcpy(d->passed.bound, d->bound, sizeof d->bound);
		d->passed.bound_count = d->bound_count;
	}
	return rc ? rc : vd_panic_pass(&d->passed);
}

/* Locks: goodbyes, the running commit, and then another process in this one's place. Whoever asks meanwhile is answered by that one. */
static void begin(struct daemon *d)
{
	int rc = vd_locked_prepare(d);

	(void)vd_ctl_lend(d->ctl, false);
	if (rc) { /* no key stays either way */
		vd_log(VD_LOG_ERROR, "cannot start anew, ending instead why=%s", vd_err_name(rc));
		d->err = rc;
	} else {
		vd_log(VD_LOG_INFO, "locking");
		d->anew = true;
		vd_ctl_stays(d->ctl);
		vd_panic_lock_within(LOCK_S);
	}
	vd_loop_stop(d);
}

static void stop_waiting(struct daemon *d)
{
	if (d->token_waits)
		uv_close((uv_handle_t *)&d->token_timer, NULL);
	d->token_waits = false;
}

static void unlock(struct daemon *d, const uint8_t *key, struct vd_buf *answer)
{
	const struct vd_secret secret = {.key = key};
	int rc;

	if (d->store) {
		put_words(answer, sodium_memcmp(vd_vault_key(vd_store_vault(d->store)), key, VD_VAULT_KEY_BYTES) ? "error: key" : "ok");
		return;
	}
	rc = open_with(d, &secret);
	if (!rc && !(rc = vd_loop_start_running(d))) {
		vd_log(VD_LOG_INFO, "unlocked"); /* and a token is waited for still: once it was seen, its going locks */
		put_words(answer, "ok");
		return;
	}
	put_words(answer, "error: ");
	put_words(answer, rc == VD_EKEY ? "key" : vd_err_name(rc));
	if (d->store) /* half of it is up, and there are keys in our memory */
		begin(d);
}

/* False: the process that this one becomes answers. */
bool vd_locked_command(struct daemon *d, const struct vd_ctl_asked *asked, struct vd_buf *answer)
{
	uint8_t key[VD_VAULT_KEY_BYTES];

	if (d->stopping) {
		put_words(answer, "error: locked");
	} else if (d->store && vd_store_readable(d->store)) {
		put_words(answer, "error: readable");
	} else if (asked->command == VD_CTL_UNLOCK) {
		if (vd_ctl_line_key(asked->line, key))
			unlock(d, key, answer);
		else
			put_words(answer, "error: key");
		sodium_memzero(key, sizeof key);
	} else if (asked->command == VD_CTL_LOCK) {
		if (d->store) {
			d->passed.stay_locked = true;
			begin(d);
			return false;
		}
		put_words(answer, "ok");
	} else if (!d->store) {
		put_words(answer, "error: locked");
	} else {
		lend_key(d, answer);
	}
	return true;
}

static void inbox_work(uv_work_t *work)
{
	struct daemon *d = work->data;

	d->inbox_err = vd_inbox_take_in(d->store, &d->inbox_stop, &d->taken);
}

static void inbox_done(uv_work_t *work, int status)
{
	struct daemon *d = work->data;

	if (status)
		return;
	if (d->taken.files || d->taken.kept)
		vd_log(VD_LOG_INFO, "inbox files=%llu kept=%llu", (unsigned long long)d->taken.files, (unsigned long long)d->taken.kept);
	if (d->inbox_err)
		vd_log(VD_LOG_ERROR, "taking in the inbox failed why=%s", vd_err_name(d->inbox_err));
	if (!d->stopping)
		vd_loop_look(d);
}

/* --- token --- */

static void on_pulled(void *ctx)
{
	struct daemon *d = ctx;

	if (d->stopping)
		return;
	vd_log(VD_LOG_NOTICE, "token gone");
	d->passed.stay_locked = false;
	begin(d);
}

static void guard_token(struct daemon *d)
{
	int rc = vd_token_guard_start(&d->guard, &d->loop, d->conf->token, &d->guard.mark, on_pulled, d);

	if (rc) { /* what was promised of the token would not hold */
		vd_log(VD_LOG_ERROR, "cannot look after the token why=%s", vd_err_name(rc));
		d->err = rc;
		vd_loop_stop(d);
	}
}

/* VD_EKEY: not with what is there, if anything is. */
static int open_by_token(struct daemon *d)
{
	struct vd_token_mark mark;
	struct vd_buf bytes = {0};
	int rc = vd_token_read(d->conf->token, &bytes, &mark);

	if (rc) { /* no mark then: its hash is zeros */
		bool there = rc != VD_ENOTFOUND && rc != VD_EIO;

		if (there && !(d->token_useless && sodium_is_zero(d->useless, sizeof d->useless)))
			vd_log(VD_LOG_WARNING, "token is no key file why=%s", vd_err_name(rc));
		vd_buf_wipe(&bytes);
		d->token_stays_out = false;
		d->token_useless = there;
		memset(d->useless, 0, sizeof d->useless);
		return VD_EKEY;
	}
	const struct vd_secret secret = {.token = vd_buf_slice(&bytes)};
	bool tried = d->token_useless && !sodium_memcmp(d->useless, mark.hash, sizeof mark.hash);

	rc = d->token_stays_out || tried ? VD_EKEY : open_with(d, &secret);
	vd_buf_wipe(&bytes);
	if (rc && !d->token_stays_out && !tried) {
		vd_log(VD_LOG_WARNING, rc == VD_EKEY ? "token opens no slot of this store" : "cannot open the store with the token why=%s", vd_err_name(rc));
		d->token_useless = true;
		memcpy(d->useless, mark.hash, sizeof mark.hash);
	}
	if (!rc && !vd_store_readable(d->store)) {
		d->guard.mark = mark;
		d->guard.path = d->conf->token;
	}
	return rc;
}

/* The store is open by other means. The slots are asked each time: one for this token may be new. */
static void look_for_token(struct daemon *d)
{
	struct vd_token_mark mark;
	struct vd_buf bytes = {0};
	int rc = vd_token_read(d->conf->token, &bytes, &mark);
	size_t slot;

	if (!rc) {
		const struct vd_secret secret = {.token = vd_buf_slice(&bytes)};

		rc = vd_vault_slot_of(d->conf->home, &secret, &slot);
	}
	vd_buf_wipe(&bytes);
	if (rc)
		return;
	vd_log(VD_LOG_INFO, "token seen");
	d->guard.mark = mark;
	d->guard.path = d->conf->token;
	stop_waiting(d);
	guard_token(d);
}

static void on_token_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	if (d->stopping)
		return;
	if (d->store) {
		look_for_token(d);
		return;
	}
	if (open_by_token(d))
		return;
	int rc = vd_loop_start_running(d);
	if (rc) {
		begin(d);
		return;
	}
	vd_log(VD_LOG_INFO, "unlocked by=token");
	stop_waiting(d);
	guard_token(d);
}

static void wait_for_token(struct daemon *d)
{
	uv_timer_init(&d->loop, &d->token_timer);
	d->token_timer.data = d;
	d->token_waits = !uv_timer_start(&d->token_timer, on_token_timer, VD_TOKEN_LOOK_MS, VD_TOKEN_LOOK_MS);
}

/* Without a key a sealed store is no error: we wait for it. */
int vd_locked_open(struct daemon *d)
{
	int ready = vd_panic_ready(d->conf->home), rc;

	d->token_stays_out = d->passed.stay_locked;
	rc = d->conf->token[0] && !d->token_stays_out ? open_by_token(d) : VD_EKEY;
	if (rc == VD_EKEY)
		rc = open_with(d, NULL);
	if (rc && rc != VD_EKEY) {
		vd_log(VD_LOG_ERROR, "cannot open the store why=%s", rc == VD_EINVAL ? "network-or-FAT-folder" : vd_err_name(rc));
		return rc;
	}
	if (ready)
		vd_log(VD_LOG_ERROR, "cannot prepare for a wipe why=%s", vd_err_name(ready));
	return ready;
}

void vd_locked_started(struct daemon *d)
{
	if (d->store && d->guard.path)
		guard_token(d);
	else if (!d->store && d->conf->token[0])
		wait_for_token(d);
}

void vd_locked_take_in(struct daemon *d)
{
	d->inbox.data = d;
	(void)uv_queue_work(&d->loop, &d->inbox, inbox_work, inbox_done); /* else the next time */
}

void vd_locked_stop(struct daemon *d)
{
	atomic_store(&d->inbox_stop, true);
	stop_waiting(d);
	vd_token_guard_stop(&d->guard);
}

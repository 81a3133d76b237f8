/* Sealed files as a stranger sees them who has many of one group: bytes that cannot be told from random, wherever they stand, nothing in
 * common between two of them, and names and sizes that say no more than how many chunks there are. */
#include "mesh_fixture.h"

#include <dirent.h>
#include <sys/stat.h>

#include "daemon/link_stick.h"

enum {
	BUNDLES = 64, MEMBERS = 32, SEGMENTS = 64, WELCOMES = 32, PASSED = BUNDLES + MEMBERS + SEGMENTS + WELCOMES,
	FULL = 128,           /* files with somebody in each slot: whatever a slot of any kind shows stands out there */
	FILES = PASSED + FULL,
	COMPARED = 24,        /* of them, a few of each sort, every byte string against every other */
	WINDOW = 12,          /* bytes that two files share nowhere */
	CHUNK_CLASSES = 64,   /* of bytes in a chunk, by their place: nonces, lengths and MACs would stand in one */
	CLASSES = 1 + VD_SLOT_BYTES + CHUNK_CLASSES + 2,
	SMALL = 2 * VD_HEAD_BYTES + VD_CHUNK_BYTES,
};

/* Of a chi-square with 255 degrees of freedom: 1 in 10^13 is beyond (Laurent and Massart, 2000, lemma 1: 255 + 2 sqrt(255 x) + 2 x with
 * x = 30), so that less than one run of 10^10 fails by chance over all classes. */
static const double CHI_SQUARE_MAX = 490;
/* Bytes that two files have in the same place: 266 are expected of 68,160; 1 in 10^12 has this many (Bernstein). */
static const size_t SAME_MAX = 401;

struct tally {
	uint64_t count[256];
};

static double chi_square(const struct tally *t)
{
	double n = 0, sum = 0;

	for (int i = 0; i < 256; i++)
		n += (double)t->count[i];
	for (int i = 0; i < 256; i++) {
		double off = (double)t->count[i] - n / 256;

		sum += off * off / (n / 256);
	}
	return sum;
}

/* By where a byte stands: in a salt, at one of a slot's places, at one of a chunk's; in the first or the last head. */
static void count_byte(struct tally *all, size_t i, size_t n, uint8_t byte)
{
	size_t at = i < VD_HEAD_BYTES ? i : i >= n - VD_HEAD_BYTES ? i - (n - VD_HEAD_BYTES) : SIZE_MAX;

	if (at == SIZE_MAX) {
		all[1 + VD_SLOT_BYTES + (i - VD_HEAD_BYTES) % CHUNK_CLASSES].count[byte]++;
		return;
	}
	all[at < VD_SALT_BYTES ? 0 : 1 + (at - VD_SALT_BYTES) % VD_SLOT_BYTES].count[byte]++;
	all[1 + VD_SLOT_BYTES + CHUNK_CLASSES + (i != at)].count[byte]++;
}

struct files {
	struct vd_buf file[FILES];
	size_t count;
};

static void take(struct files *f, const char *path)
{
	assert_true(f->count < FILES);
	file_get(path, &f->file[f->count]);
	assert_int_equal(f->file[f->count].n, SMALL);
	f->count++;
	assert_int_equal(unlink(path), 0);
}

static bool is_neutral_name(const char *name)
{
	return strlen(name) == 36 && strspn(name, "0123456789abcdef") == 32 && strcmp(name + 32, ".bin") == 0;
}

/* Takes every file of a stick, whose names must tell nothing. */
static void take_stick(struct files *f, const char *stick)
{
	char path[512];
	struct dirent *entry;
	DIR *dir = opendir(stick);

	while ((entry = readdir(dir)))
		assert_true(entry->d_name[0] == '.' || strcmp(entry->d_name, "cache") == 0);
	closedir(dir);
	snprintf(path, sizeof(path), "%s/cache", stick);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(is_neutral_name(entry->d_name));
		snprintf(path, sizeof(path), "%s/cache/%.40s", stick, entry->d_name);
		take(f, path);
	}
	closedir(dir);
}

static const uint8_t (*author_of(const struct person *p))[VD_KEY_BYTES]
{
	return (const uint8_t (*)[VD_KEY_BYTES])&vd_group_identity(p->group)->author;
}

static void write_one(struct person *p, const struct vd_bundle_choice *choice, const char *path)
{
	struct vd_bundle_stats stats;

	assert_int_equal(vd_bundle_write(p->store, p->group, VD_SEALED_BUNDLE, choice, path, false, &stats), 0);
}

static void fill(struct files *f, struct mesh *m, struct person *hub, struct person *ana)
{
	const struct vd_bundle_choice everyone = { 0 }, for_ana = { .devices = author_of(ana), .device_count = 1 };
	char path[256], stick[256];

	snprintf(path, sizeof(path), "%s/file", m->top);
	snprintf(stick, sizeof(stick), "%s/usb", m->top);
	for (int i = 0; i < BUNDLES; i++) {
		write_one(hub, &everyone, path);
		take(f, path);
	}
	for (int i = 0; i < MEMBERS; i++) {
		write_one(hub, &for_ana, path);
		take(f, path);
	}
	assert_int_equal(mkdir(stick, 0700), 0);
	for (int i = 0; i < SEGMENTS; i++) {
		struct vd_stick_result r;

		person_write(i % 2 ? ana : hub, VD_LANE_URGENT, 1, 10);
		assert_int_equal(vd_stick_sync(i % 2 ? ana->store : hub->store, stick, &r), 0);
		take_stick(f, stick);
	}
	for (int i = 0; i < WELCOMES; i++) {
		struct vd_identity identity;
		uint8_t seed[VD_IDENTITY_SEED_BYTES];
		struct vd_id grant = { { 0 } };
		struct vd_card card;

		randombytes_buf(seed, sizeof(seed));
		vd_identity_from_seed(seed, &identity);
		assert_int_equal(vd_card_create(&identity, &card), 0);
		assert_int_equal(vd_welcome_write(hub->store, hub->group, &card, &grant, path), 0);
		take(f, path);
	}
	assert_int_equal(f->count, PASSED);
}

static void fill_slots(struct files *f)
{
	struct vd_recipient to[VD_SLOTS];
	const struct vd_manifest manifest = { .what = VD_SEALED_SEGMENT, .chunks = 1 };
	uint8_t seed[VD_SEAL_SEED_BYTES], secret[VD_KEY_BYTES];

	for (int i = 0; i < VD_SLOTS; i++) {
		to[i].how = i < 4 ? VD_FOR_LINK : i < 10 ? VD_FOR_DEVICE : VD_FOR_CARD;
		randombytes_buf(to[i].link, VD_KEY_BYTES);
		randombytes_buf(to[i].author, VD_KEY_BYTES);
		crypto_box_keypair(to[i].box, secret);
	}
	for (int i = 0; i < FULL; i++) {
		struct vd_sealer *sealer;

		randombytes_buf(seed, sizeof(seed));
		assert_int_equal(vd_sealer_new(&manifest, to, VD_SLOTS, seed, &sealer), 0);
		assert_int_equal(vd_sealer_finish(sealer, &f->file[f->count]), 0);
		assert_int_equal(f->file[f->count++].n, SMALL);
		vd_sealer_free(sealer);
	}
}

static struct files *make(void)
{
	struct files *f = calloc(1, sizeof(*f));
	struct person hub, ana;
	struct mesh m;

	assert_non_null(f);
	mesh_start(&m, &hub);
	mesh_add_person(&m, &hub, &ana);
	fill(f, &m, &hub, &ana);
	fill_slots(f);
	person_leave(&hub);
	person_leave(&ana);
	mesh_end(&m);
	return f;
}

static void assert_random(const struct files *f, size_t from, size_t to)
{
	struct tally *all = calloc(CLASSES, sizeof(*all)), total = { { 0 } };

	assert_non_null(all);
	for (size_t k = from; k < to; k++)
		for (size_t i = 0; i < f->file[k].n; i++) {
			count_byte(all, i, f->file[k].n, f->file[k].p[i]);
			total.count[f->file[k].p[i]]++;
		}
	for (size_t c = 0; c < CLASSES; c++)
		if (chi_square(&all[c]) > CHI_SQUARE_MAX)
			fail_msg("files %zu to %zu, class %zu: chi-square %.0f", from, to, c, chi_square(&all[c]));
	assert_true(chi_square(&total) <= CHI_SQUARE_MAX);
	free(all);
}

static void test_bundle_noise__every_place_is_random(void **state)
{
	const struct files *f = *state;

	assert_random(f, 0, PASSED);
	assert_random(f, PASSED, FILES);
	assert_random(f, 0, FILES);
}

/* What this finds: the slots of the full files, were they not masked. A curve point's last byte has its top bit clear. */
static void test_bundle_noise__a_bare_sealed_box_would_show(void **state)
{
	enum { SLOTS = FULL * 2 * VD_SLOTS };
	uint8_t box[VD_KEY_BYTES], secret[VD_KEY_BYTES], slot[VD_SLOT_BYTES];
	struct tally last = { { 0 } }, masked = { { 0 } };

	(void)state;
	crypto_box_keypair(box, secret);
	for (int i = 0; i < SLOTS; i++) {
		assert_int_equal(crypto_box_seal(slot, secret, VD_KEY_BYTES, box), 0);
		last.count[slot[31]]++;
		masked.count[slot[32]]++;
	}
	assert_true(chi_square(&last) > 4 * CHI_SQUARE_MAX);
	assert_true(chi_square(&masked) <= CHI_SQUARE_MAX);
}

static void test_bundle_noise__two_files_have_nothing_in_the_same_place(void **state)
{
	const struct files *f = *state;

	for (size_t a = 0; a < FILES; a += 3)
		for (size_t b = a + 3; b < FILES; b += 3) {
			size_t same = 0;

			for (size_t i = 0; i < SMALL; i++)
				same += f->file[a].p[i] == f->file[b].p[i];
			if (same > SAME_MAX)
				fail_msg("files %zu and %zu: %zu bytes", a, b, same);
		}
}

static int by_window(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, WINDOW);
}

/* Of 1.6 million strings of 12 bytes no two are the same: by chance 1 time in 10^16. */
static void test_bundle_noise__no_string_comes_twice(void **state)
{
	const struct files *f = *state;
	const size_t each = SMALL - WINDOW + 1;
	const uint8_t **at = calloc(COMPARED * each, sizeof(*at));

	assert_non_null(at);
	for (size_t k = 0; k < COMPARED; k++)
		for (size_t i = 0; i < each; i++)
			at[k * each + i] = f->file[k * (FILES / COMPARED)].p + i;
	qsort(at, COMPARED * each, sizeof(*at), by_window);
	for (size_t i = 1; i < COMPARED * each; i++)
		assert_memory_not_equal(at[i - 1], at[i], WINDOW);
	free(at);
}

/* Whatever is in it, whoever it is for: a file is as long as its number of chunks says. */
static void test_bundle_noise__size_says_chunks_alone(void **state)
{
	struct person hub, ana;
	struct mesh m;
	char path[256];
	uint64_t size = 0;

	(void)state;
	mesh_start(&m, &hub);
	mesh_add_person(&m, &hub, &ana);
	snprintf(path, sizeof(path), "%s/file", m.top);
	for (int i = 0; i < 12; i++) {
		const struct vd_bundle_choice choices[] = {
			{ 0 }, { .devices = author_of(&ana), .device_count = 1 }, { .control = true, .devices = author_of(&ana), .device_count = 1 },
		};
		uint64_t sizes[3];

		person_write(&hub, VD_LANE_NORMAL, 3, (size_t)(100 + 777 * i));
		for (size_t c = 0; c < 3; c++) {
			struct stat st;

			write_one(&hub, &choices[c], path);
			assert_int_equal(stat(path, &st), 0);
			sizes[c] = (uint64_t)st.st_size;
			assert_int_equal((sizes[c] - vd_sealed_bytes(0)) % VD_CHUNK_BYTES, 0);
		}
		/* The same records are as long for one as for all; few are as long as fewer. */
		assert_int_equal(sizes[0], sizes[1]);
		assert_int_equal(sizes[2], SMALL);
		assert_true(sizes[0] >= size);
		size = sizes[0];
	}
	assert_true(size > SMALL);
	person_leave(&hub);
	person_leave(&ana);
	mesh_end(&m);
}

static int setup(void **state)
{
	*state = make();
	return 0;
}

static int teardown(void **state)
{
	struct files *f = *state;

	for (size_t i = 0; i < f->count; i++)
		vd_buf_deinit(&f->file[i]);
	free(f);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bundle_noise__every_place_is_random),
		cmocka_unit_test(test_bundle_noise__a_bare_sealed_box_would_show),
		cmocka_unit_test(test_bundle_noise__two_files_have_nothing_in_the_same_place),
		cmocka_unit_test(test_bundle_noise__no_string_comes_twice),
		cmocka_unit_test(test_bundle_noise__size_says_chunks_alone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

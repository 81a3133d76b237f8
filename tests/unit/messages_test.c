#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>
#include <glob.h>
#include <stdio.h>

#include "cli/labels.h"
#include "cli/messages.h"
#include "proto/err.h"
#include "proto/kind.h"

static void test_messages__every_text_is_in_every_language(void **state)
{
	(void)state;
	for (int m = VD_MSG_NONE + 1; m < VD_MSG_COUNT; m++) {
		const struct vd_message *message = &vd_messages[m];

		for (int lang = 0; lang < VD_LANGS; lang++)
			if (!message->text[lang] || !message->text[lang][0])
				fail_msg("message %d has no text in language %d", m, lang);
		if (!message->same && strcmp(message->text[VD_LANG_EN], message->text[VD_LANG_ES]) == 0)
			fail_msg("not translated: %s", message->text[VD_LANG_EN]);
		if (message->same && strcmp(message->text[VD_LANG_EN], message->text[VD_LANG_ES]) != 0)
			fail_msg("marked the same, but is not: %s", message->text[VD_LANG_EN]);
	}
}

/* Which of {0} to {9} a text has, as bits. */
static unsigned places(const char *text)
{
	unsigned bits = 0;

	for (; *text; text++)
		if (text[0] == '{' && isdigit((unsigned char)text[1]) && text[2] == '}')
			bits |= 1u << (text[1] - '0');
	return bits;
}

static void test_messages__languages_name_the_same_places(void **state)
{
	(void)state;
	for (int m = 1; m < VD_MSG_COUNT; m++)
		if (places(vd_messages[m].text[VD_LANG_EN]) != places(vd_messages[m].text[VD_LANG_ES]))
			fail_msg("other places in translation: %s", vd_messages[m].text[VD_LANG_EN]);
}

static void test_messages__texts_are_clean(void **state)
{
	(void)state;
	for (int m = 1; m < VD_MSG_COUNT; m++)
		for (int lang = 0; lang < VD_LANGS; lang++) {
			struct vd_slice text = vd_slice_str(vd_messages[m].text[lang]);
			struct vd_buf out = { 0 };

			assert_true(vd_utf8_ok(text));
			vd_text_escape(text, true, &out);
			if (!vd_slice_eq(text, vd_buf_slice(&out)))
				fail_msg("control characters in: %s", vd_messages[m].text[lang]);
			vd_buf_deinit(&out);
		}
}

static void test_messages__every_kind_a_page_names_exists(void **state)
{
	(void)state;
	for (size_t i = 0; i < vd_kind_count; i++)
		for (int lang = 0; lang < VD_LANGS; lang++)
			assert_non_null(strstr(vd_text((enum vd_lang)lang, VD_MSG_HELP_ADD), vd_kinds[i].name));
}

static void want_label(const char *word)
{
	struct vd_slice english = vd_slice_str(word), label = vd_label(VD_LANG_ES, english);
	struct vd_buf out = { 0 };

	if (!label.n || vd_slice_eq(label, english))
		fail_msg("no Spanish label: %s", word);
	vd_text_escape(label, false, &out);
	if (!vd_utf8_ok(label) || !vd_slice_eq(label, vd_buf_slice(&out)))
		fail_msg("control characters in the label of: %s", word);
	vd_buf_deinit(&out);
	assert_true(vd_slice_eq(vd_label(VD_LANG_EN, english), english));
}

/* Read as another of the same list, a value would say what its author did not. */
static void want_apart(const char *a, const char *b)
{
	if (vd_slice_eq(vd_label(VD_LANG_ES, vd_slice_str(a)), vd_label(VD_LANG_ES, vd_slice_str(b))))
		fail_msg("the same label: %s, %s", a, b);
}

static void want_field_labels(const struct vd_field_def *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		want_label(fields[i].name);
		for (size_t j = 0; j < i; j++)
			want_apart(fields[i].name, fields[j].name);
		for (size_t j = 0; fields[i].choices && fields[i].choices[j]; j++) {
			want_label(fields[i].choices[j]);
			for (size_t k = 0; k < j; k++)
				want_apart(fields[i].choices[j], fields[i].choices[k]);
		}
	}
}

static void test_messages__every_word_of_the_kinds_has_a_label(void **state)
{
	(void)state;
	for (size_t i = 0; i < vd_kind_count; i++) {
		want_label(vd_kinds[i].name);
		for (size_t j = 0; j < i; j++)
			want_apart(vd_kinds[i].name, vd_kinds[j].name);
		want_field_labels(vd_kinds[i].fields, vd_kinds[i].count);
	}
	want_field_labels(vd_kind_common, vd_kind_common_count);
}

static void want(struct vd_slice got, const char *text)
{
	assert_true(vd_slice_eq(got, vd_slice_str(text)));
}

static void test_messages__labels_only_where_the_table_defines_the_word(void **state)
{
	const struct vd_slice alert = vd_slice_str("alert"), own = vd_slice_str("fire"), severity = vd_slice_str("severity"),
	                      headline = vd_slice_str("headline"), severe = vd_slice_str("severe");

	(void)state;
	want(vd_label_kind(VD_LANG_ES, alert), "alerta");
	want(vd_label_kind(VD_LANG_EN, alert), "alert");
	want(vd_label_kind(VD_LANG_ES, own), "fire");
	want(vd_label_field(VD_LANG_ES, alert, headline), "titular");
	want(vd_label_field(VD_LANG_ES, own, headline), "headline");
	want(vd_label_field(VD_LANG_ES, own, vd_slice_str("text")), "texto");
	want(vd_label_field(VD_LANG_ES, alert, own), "fire");
	want(vd_label_choice(VD_LANG_ES, alert, severity, severe), "severa");
	want(vd_label_choice(VD_LANG_EN, alert, severity, severe), "severe");
	want(vd_label_choice(VD_LANG_ES, alert, headline, severe), "severe");
	want(vd_label_choice(VD_LANG_ES, alert, severity, own), "fire");
	want(vd_label_choice(VD_LANG_ES, own, severity, severe), "severe");
}

static char *format(enum vd_lang lang, enum vd_msg msg, const char *const *args, bool safe)
{
	struct vd_buf out = { 0 };

	vd_text_format(lang, msg, args, safe, &out);
	vd_buf_put_u8(&out, 0);
	return (char *)out.p;
}

static void test_messages__places_are_filled(void **state)
{
	const char *const args[] = { "frobnicate", "list", NULL }, *const none[] = { NULL };
	char *text = format(VD_LANG_EN, VD_MSG_DID_YOU_MEAN, args, true);

	(void)state;
	assert_string_equal(text, "Did you mean: list");
	free(text);
	text = format(VD_LANG_ES, VD_MSG_UNKNOWN_COMMAND, args, true);
	assert_string_equal(text, "No existe la orden \"frobnicate\"");
	free(text);
	text = format(VD_LANG_EN, VD_MSG_ADDED, none, true);
	assert_string_equal(text, "Stored: ");
	free(text);
}

static void test_messages__arguments_cannot_speak_to_the_terminal(void **state)
{
	const char *const args[] = { "\033]0;owned\007\n{1}", NULL };
	char *text = format(VD_LANG_EN, VD_MSG_ADDED, args, true);

	(void)state;
	assert_string_equal(text, "Stored: \\x1b]0;owned\\x07\\n{1}");
	free(text);
	text = format(VD_LANG_EN, VD_MSG_ADDED, args, false);
	assert_string_equal(text, "Stored: \033]0;owned\007\n{1}");
	free(text);
}

static void test_messages__escape_what_a_terminal_obeys(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "Vereda El Roble, ñandú 水 🙂", "Vereda El Roble, ñandú 水 🙂" },
		{ "a\rb\bc\x7f", "a\\x0db\\x08c\\x7f" },
		{ "\xc2\x9b" "31m", "\\u{9b}31m" },          /* CSI as one C1 character */
		{ "\xe2\x80\xae" "evil", "\\u{202e}evil" },  /* right-to-left override */
		{ "\xe2\x80\xa8", "\\u{2028}" },
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc3", "\\xc3" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "two\nlines\tx", "two\\nlines x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct vd_buf out = { 0 };

		vd_text_escape(vd_slice_str(cases[i].in), false, &out);
		vd_buf_put_u8(&out, 0);
		assert_string_equal((char *)out.p, cases[i].out);
		vd_buf_deinit(&out);
	}
}

static void test_messages__languages(void **state)
{
	enum vd_lang lang = VD_LANG_EN;

	(void)state;
	assert_int_equal(vd_text_lang("es", &lang), 0);
	assert_int_equal(lang, VD_LANG_ES);
	assert_int_equal(vd_text_lang("en_GB.UTF-8", &lang), 0);
	assert_int_equal(lang, VD_LANG_EN);
	assert_int_equal(vd_text_lang("pt-BR", &lang), 0);
	assert_int_equal(lang, VD_LANG_ES);
	assert_int_equal(vd_text_lang("fr", &lang), 0);
	assert_int_equal(lang, VD_LANG_EN);
	assert_int_equal(vd_text_lang("de", &lang), VD_ENOTFOUND);
	assert_int_equal(vd_text_lang("est", &lang), VD_ENOTFOUND);
	assert_int_equal(vd_text_lang("", &lang), VD_ENOTFOUND);
}

static void test_messages__language_of_the_environment(void **state)
{
	(void)state;
	setenv("LC_ALL", "", 1);
	setenv("LC_MESSAGES", "es_CO.UTF-8", 1);
	setenv("LANG", "en_US.UTF-8", 1);
	assert_int_equal(vd_text_lang_env(), VD_LANG_ES);
	setenv("LC_ALL", "C.UTF-8", 1);
	assert_int_equal(vd_text_lang_env(), VD_LANG_EN);
	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	setenv("LANG", "es_MX", 1);
	assert_int_equal(vd_text_lang_env(), VD_LANG_ES);
	unsetenv("LANG");
	assert_int_equal(vd_text_lang_env(), VD_LANG_EN);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	struct vd_buf text = { 0 };
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		vd_buf_put_u8(&text, (uint8_t)c);
	vd_buf_put_u8(&text, 0);
	fclose(f);
	return (char *)text.p;
}

/* Two words side by side, or, with `one`, a word at all: text for people. */
static bool is_prose(const char *literal, size_t n, bool one)
{
	size_t letters = 0;
	bool word_before = false;

	for (size_t i = 0; i < n; i++) {
		if (literal[i] == '\\') {
			/* an escape and its digits: no letters */
			for (i++; i + 1 < n && isdigit((unsigned char)literal[i + 1]);)
				i++;
			letters = 0;
		} else if (isalpha((unsigned char)literal[i])) {
			if (++letters == 2 && (word_before || one))
				return true;
		} else {
			word_before = literal[i] == ' ' && letters >= 2;
			letters = 0;
		}
	}
	return false;
}

/* Walks the string literals of a C text, comments and #include passed over; `found` on each. */
static void each_literal(const char *path, const char *text, void (*found)(const char *path, const char *line, const char *p, size_t n))
{
	const char *line = text;

	for (const char *p = text; *p; p++) {
		if (*p == '\n') {
			line = p + 1;
		} else if (p[0] == '/' && p[1] == '*') {
			p = strstr(p, "*/") + 1;
		} else if (p[0] == '\'') {
			p += p[1] == '\\' ? 3 : 2;
		} else if (p[0] == '"') {
			const char *start = ++p;

			while (*p != '"')
				p += *p == '\\' ? 2 : 1;
			if (line[0] != '#')
				found(path, line, start, (size_t)(p - start));
		}
	}
}

static int prose_found;

static void refuse_prose(const char *path, const char *line, const char *p, size_t n)
{
	bool raw = strstr(line, "vd_say_raw(") && strstr(line, "vd_say_raw(") < p;

	if (!is_prose(p, n, raw))
		return;
	print_error("%s: text for people outside the catalogue: \"%.*s\"\n", path, (int)n, p);
	prose_found++;
}

/* Calls that print around print.c. snprintf and the like are no call of these. */
static int direct_prints(const char *path, const char *text)
{
	static const char *const names[] = { "printf(", "fprintf(", "vprintf(", "vfprintf(", "dprintf(", "puts(", "fputs(", "putchar(",
	                                     "fputc(", "perror(", "fwrite(" };
	int count = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (const char *p = text; (p = strstr(p, names[i])); p++) {
			if (p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '_'))
				continue;
			print_error("%s: prints with %s…)\n", path, names[i]);
			count++;
		}
	return count;
}

/* `make test` runs in the project's folder, where the sources are. */
static void test_messages__nothing_is_printed_around_the_catalogue(void **state)
{
	glob_t files;
	int direct = 0;

	(void)state;
	assert_int_equal(glob("cli/*.c", 0, NULL, &files), 0);
	assert_true(files.gl_pathc > 10);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *text = read_file(files.gl_pathv[i]);

		if (!strstr(files.gl_pathv[i], "messages_table.c") && !strstr(files.gl_pathv[i], "labels_table.c"))
			each_literal(files.gl_pathv[i], text, refuse_prose);
		if (!strstr(files.gl_pathv[i], "print.c"))
			direct += direct_prints(files.gl_pathv[i], text);
		free(text);
	}
	globfree(&files);
	assert_int_equal(prose_found, 0);
	assert_int_equal(direct, 0);
}

static void test_messages__the_search_for_prose_finds_some(void **state)
{
	(void)state;
	prose_found = 0;
	each_literal("(a test)", "vd_say_raw(cli, vd_slice_str(\"done\"));\n", refuse_prose);
	each_literal("(a test)", "x = \"no luck\"; /* \"in a comment\" */\n", refuse_prose);
	each_literal("(a test)", "vd_say_raw(cli, vd_slice_str(\"\\033[0m\\n\"));\ny = \"{s:o,s:o}\"; z = \"list\"; c = '\"';\n", refuse_prose);
	assert_int_equal(prose_found, 2);
	assert_int_equal(direct_prints("(a test)", "snprintf(a); vd_fputs(b); fprintf(stderr, c);"), 1);
	prose_found = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages__every_text_is_in_every_language),
		cmocka_unit_test(test_messages__languages_name_the_same_places),
		cmocka_unit_test(test_messages__texts_are_clean),
		cmocka_unit_test(test_messages__every_kind_a_page_names_exists),
		cmocka_unit_test(test_messages__every_word_of_the_kinds_has_a_label),
		cmocka_unit_test(test_messages__labels_only_where_the_table_defines_the_word),
		cmocka_unit_test(test_messages__places_are_filled),
		cmocka_unit_test(test_messages__arguments_cannot_speak_to_the_terminal),
		cmocka_unit_test(test_messages__escape_what_a_terminal_obeys),
		cmocka_unit_test(test_messages__languages),
		cmocka_unit_test(test_messages__language_of_the_environment),
		cmocka_unit_test(test_messages__the_search_for_prose_finds_some),
		cmocka_unit_test(test_messages__nothing_is_printed_around_the_catalogue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The vocabulary. Lists are closed where the field's standard closes them; codes are the standard's English terms in lower
 * case, shortened where they are sentences.
 *
 *   alert, ack   OASIS Common Alerting Protocol 1.2, section 3.2 (status without its two values for machines)
 *   event        HURIDOCS Events Standard Formats, event record; micro-thesauri 41 (violation status), 42 (reliability),
 *                43 (monitoring status), 46 (priority) */
#include "kind.h"

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define FIELDS(array) array, sizeof(array) / sizeof((array)[0])

static const struct vd_field_def alert_fields[] = {
	{ "headline", VD_FIELD_TEXT, NULL, true },
	{ "status", VD_FIELD_CHOICE, LIST("actual", "exercise", "test"), false },
	{ "type", VD_FIELD_CHOICE, LIST("alert", "update", "cancel"), false },
	{ "urgency", VD_FIELD_CHOICE, LIST("immediate", "expected", "future", "past", "unknown"), false },
	{ "severity", VD_FIELD_CHOICE, LIST("extreme", "severe", "moderate", "minor", "unknown"), false },
	{ "certainty", VD_FIELD_CHOICE, LIST("observed", "likely", "possible", "unlikely", "unknown"), false },
	{ "category", VD_FIELD_CHOICE,
	  LIST("geo", "met", "safety", "security", "rescue", "fire", "health", "env", "transport", "infra", "cbrne",
	       "other"), false },
	{ "description", VD_FIELD_TEXT, NULL, false },
	{ "instruction", VD_FIELD_TEXT, NULL, false },
	{ "area", VD_FIELD_TEXT, NULL, false },
	{ "onset", VD_FIELD_TIME, NULL, false },
	{ "expires", VD_FIELD_TIME, NULL, false },
};

static const struct vd_field_def ack_fields[] = {
	{ "about", VD_FIELD_ID, NULL, true },
	{ "stage", VD_FIELD_CHOICE, LIST("received", "seen", "accepted", "acting", "resolved", "declined"), true },
	{ "text", VD_FIELD_TEXT, NULL, false },
};

static const struct vd_field_def event_fields[] = {
	{ "title", VD_FIELD_TEXT, NULL, false },
	{ "description", VD_FIELD_TEXT, NULL, false },
	{ "date", VD_FIELD_TIME, NULL, false },
	{ "end_date", VD_FIELD_TIME, NULL, false },
	{ "place", VD_FIELD_TEXT, NULL, false },
	{ "type", VD_FIELD_TEXT, NULL, false },
	{ "rights", VD_FIELD_LIST, NULL, false },
	{ "victims", VD_FIELD_TEXT, NULL, false },
	{ "perpetrator_type", VD_FIELD_TEXT, NULL, false },
	{ "impact", VD_FIELD_TEXT, NULL, false },
	{ "remarks", VD_FIELD_TEXT, NULL, false },
	{ "violation_status", VD_FIELD_CHOICE,
	  LIST("confirmed", "confirmed_violation", "confirmed_similar_act", "confirmed_no_violation", "likely", "possible",
	       "unlikely", "unknown"), false },
	{ "reliability", VD_FIELD_CHOICE,
	  LIST("highly_reliable", "likely_reliable", "unsure", "likely_unreliable", "highly_unreliable", "unknown"), false },
	{ "monitoring_status", VD_FIELD_CHOICE, LIST("active", "pending", "not_active"), false },
	{ "priority", VD_FIELD_CHOICE, LIST("urgent", "high", "medium", "low", "rejected"), false },
};

static const struct vd_field_def message_fields[] = {
	{ "text", VD_FIELD_TEXT, NULL, true },
};

static const struct vd_field_def observation_fields[] = {
	{ "text", VD_FIELD_TEXT, NULL, false },
};

/* A document or another source, with what it attaches: HURIDOCS information record, as far as one uses it without an archive. */
static const struct vd_field_def document_fields[] = {
	{ "title", VD_FIELD_TEXT, NULL, false },
	{ "description", VD_FIELD_TEXT, NULL, false },
	{ "date", VD_FIELD_TIME, NULL, false },
};

/* Which record it hides stands in the header's ext, for those who cannot open this; `about` says it to those who can. */
static const struct vd_field_def redaction_fields[] = {
	{ "about", VD_FIELD_ID, NULL, true },
	{ "text", VD_FIELD_TEXT, NULL, false },
};

const struct vd_kind vd_kinds[] = {
	{ "alert", VD_LANE_URGENT, "headline", FIELDS(alert_fields) },
	{ "ack", VD_LANE_URGENT, "text", FIELDS(ack_fields) },
	{ "event", VD_LANE_NORMAL, "description", FIELDS(event_fields) },
	{ "message", VD_LANE_NORMAL, "text", FIELDS(message_fields) },
	{ "observation", VD_LANE_NORMAL, "text", FIELDS(observation_fields) },
	{ "document", VD_LANE_NORMAL, "title", FIELDS(document_fields) },
	{ "redaction", VD_LANE_URGENT, "text", FIELDS(redaction_fields) },
};
const size_t vd_kind_count = sizeof(vd_kinds) / sizeof(vd_kinds[0]);

/* Mean the same in every kind, known or not. */
const struct vd_field_def vd_kind_common[] = {
	{ "about", VD_FIELD_ID, NULL, false },
	{ "replaces", VD_FIELD_IDS, NULL, false },
	{ "text", VD_FIELD_TEXT, NULL, false },
};
const size_t vd_kind_common_count = sizeof(vd_kind_common) / sizeof(vd_kind_common[0]);

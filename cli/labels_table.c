/* Spanish terms after CAP 1.2 and the HURIDOCS formats. One word has one label wherever it stands, so a word that goes with nouns
 * of either gender is worded around it ("se desconoce"). */
#include "labels.h"

static const struct {
	const char *word, *spanish;
} labels[] = {
	/* kinds; "alert" is a CAP message type too */
	{ "alert", "alerta" },
	{ "ack", "acuse" },
	{ "event", "hecho" },
	{ "message", "mensaje" },
	{ "observation", "observación" },
	{ "document", "documento" },
	{ "redaction", "ocultación" },

	/* fields */
	{ "about", "sobre" },
	{ "replaces", "reemplaza" },
	{ "text", "texto" },
	{ "headline", "titular" },
	{ "status", "estado" },
	{ "type", "tipo" },
	{ "urgency", "urgencia" },
	{ "severity", "severidad" },
	{ "certainty", "certeza" },
	{ "category", "categoría" },
	{ "description", "descripción" },
	{ "instruction", "instrucciones" },
	{ "area", "área" },
	{ "onset", "comienzo" },
	{ "expires", "vencimiento" },
	{ "stage", "etapa" },
	{ "title", "título" },
	{ "date", "fecha" },
	{ "end_date", "fecha final" },
	{ "place", "lugar" },
	{ "rights", "derechos" },
	{ "victims", "víctimas" },
	{ "perpetrator_type", "tipo de perpetrador" },
	{ "impact", "impacto" },
	{ "remarks", "comentarios" },
	{ "violation_status", "estado de la violación" },
	{ "reliability", "confiabilidad" },
	{ "monitoring_status", "estado del seguimiento" },
	{ "priority", "prioridad" },

	/* alert: status, type */
	{ "actual", "real" },
	{ "exercise", "simulacro" },
	{ "test", "prueba" },
	{ "update", "actualización" },
	{ "cancel", "cancelación" },

	/* alert: urgency, severity, certainty */
	{ "immediate", "inmediata" },
	{ "expected", "prevista" },
	{ "future", "futura" },
	{ "past", "pasada" },
	{ "extreme", "extrema" },
	{ "severe", "severa" },
	{ "moderate", "moderada" },
	{ "minor", "menor" },
	{ "observed", "observada" },
	{ "likely", "probable" },
	{ "possible", "posible" },
	{ "unlikely", "improbable" },
	{ "unknown", "se desconoce" },

	/* alert: category */
	{ "geo", "geofísica" },
	{ "met", "meteorológica" },
	{ "safety", "protección de la población" },
	{ "security", "seguridad" },
	{ "rescue", "rescate" },
	{ "fire", "incendio" },
	{ "health", "salud" },
	{ "env", "medio ambiente" },
	{ "transport", "transporte" },
	{ "infra", "infraestructura" },
	{ "cbrne", "QBRNE" },
	{ "other", "otra" },

	/* ack: stage */
	{ "received", "recibida" },
	{ "seen", "vista" },
	{ "accepted", "aceptada" },
	{ "acting", "en curso" },
	{ "resolved", "resuelta" },
	{ "declined", "declinada" },

	/* event: violation_status */
	{ "confirmed", "confirmado" },
	{ "confirmed_violation", "violación confirmada" },
	{ "confirmed_similar_act", "acto similar confirmado" },
	{ "confirmed_no_violation", "confirmado que no hubo violación" },

	/* event: reliability */
	{ "highly_reliable", "muy confiable" },
	{ "likely_reliable", "probablemente confiable" },
	{ "unsure", "dudosa" },
	{ "likely_unreliable", "probablemente no confiable" },
	{ "highly_unreliable", "nada confiable" },

	/* event: monitoring_status, priority */
	{ "active", "activo" },
	{ "pending", "pendiente" },
	{ "not_active", "inactivo" },
	{ "urgent", "urgente" },
	{ "high", "alta" },
	{ "medium", "media" },
	{ "low", "baja" },
	{ "rejected", "rechazada" },
};

struct vd_slice vd_label(enum vd_lang lang, struct vd_slice word)
{
	for (size_t i = 0; lang == VD_LANG_ES && i < sizeof labels / sizeof *labels; i++)
		if (vd_slice_eq(word, vd_slice_str(labels[i].word)))
			return vd_slice_str(labels[i].spanish);
	return word;
}

struct vd_slice vd_label_kind(enum vd_lang lang, struct vd_slice kind)
{
	return vd_kind_find(kind) ? vd_label(lang, kind) : kind;
}

struct vd_slice vd_label_field(enum vd_lang lang, struct vd_slice kind, struct vd_slice field)
{
	return vd_kind_field(vd_kind_find(kind), field) ? vd_label(lang, field) : field;
}

struct vd_slice vd_label_choice(enum vd_lang lang, struct vd_slice kind, struct vd_slice field, struct vd_slice text)
{
	const struct vd_field_def *def = vd_kind_field(vd_kind_find(kind), field);

	if (!def || def->type != VD_FIELD_CHOICE)
		return text;
	for (size_t i = 0; def->choices[i]; i++)
		if (vd_slice_eq(text, vd_slice_str(def->choices[i])))
			return vd_label(lang, text);
	return text;
}

/* In which order, in which parts, and when to stop. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/i18n.h"
#include "base/json.h"
#include "work/reissue.h"

/* In the order of enum fleet_limit. */
static const struct {
	const char *option, *key, *state, *state2;
} limits[FLEET_LIMITS] = {
	[FLEET_FAILED] = { "max-failed", "failed", "failed", "rolled back" },
	[FLEET_UNREACHABLE] = { "max-unreachable", "unreachable", "unreachable", "unreachable" },
	[FLEET_REFUSED] = { "max-refused", "refused", "refused", "refused" },
};

static bool row_is(const struct host_row *row, const char *state)
{
	return strcmp(row != NULL ? row->state : "waiting", state) == 0;
}

/* Tried to an end, and not verified. */
static bool row_failed(const struct host_row *row)
{
	return !row_is(row, "waiting") && !row_is(row, "running") && !row_is(row, "verified") && !row_is(row, "skipped");
}

/* Verified ones are left out unless --again, skipped ones unless --retry skipped. A row that says "running"
 * was cut off: it failed for --retry, and for --resume it has not been tried to its end. */
bool reissue_wants(struct reissue *d, const struct server *s)
{
	const struct args *a = run_args(d->run);
	const struct host_row *row = incident_host(run_incident(d->run), s->name);
	const char *retry = args_get(a, "retry");
	bool skipped = retry != NULL && strcmp(retry, "skipped") == 0;

	if (row_is(row, "skipped") && !skipped) {
		d->skipped++;
		return false;
	}
	if (args_has(a, "resume") && (row == NULL || row->wave == 0))
		return false;
	if (args_has(a, "resume") && !row->tried)
		return true;
	if (row_is(row, "verified") && !args_has(a, "again")) {
		d->verified++;
		d->former += row->issuer != NULL && strcmp(row->issuer, run_incident(d->run)->issuer->fingerprint) != 0;
		return false;
	}
	if (args_has(a, "resume"))
		return retry != NULL;
	if (retry == NULL)
		return true;
	if (skipped)
		return row_is(row, "skipped");
	return strcmp(retry, "untried") == 0 ? row_is(row, "waiting") : !row_is(row, "waiting");
}

static int reissue_check_options(struct reissue *d, struct err *e)
{
	const struct args *a = run_args(d->run);
	const char *retry = args_get(a, "retry");

	if (retry != NULL && strcmp(retry, "failed") != 0 && strcmp(retry, "untried") != 0 &&
	    strcmp(retry, "skipped") != 0)
		return err_set(e, ERR_USAGE, _("reissue: --retry takes failed, untried or skipped"));
	if (!args_has(a, "resume"))
		return 0;
	if (args_has(a, "waves") || args_has(a, "canaries") || args_has(a, "again") ||
	    (retry != NULL && strcmp(retry, "failed") != 0))
		return err_set(e, ERR_USAGE, _("reissue: --resume goes on with the waves of the journal: it takes --retry failed, "
		    "--only and the limits"));
	if (run_incident(d->run)->rollout.state == ROLLOUT_NONE) {
		err_set(e, ERR_REFUSED, _("reissue: there is nothing to resume in this incident"));
		return err_remedy(e, _("begin one: sev1 reissue"));
	}
	d->resumed = true;
	return 0;
}

/* ---- limits ---- */

/* Where the option is not given, what [fleet] says; a resumed rollout goes on as it was begun. */
static const char *reissue_option(const struct reissue *d, const char *option, const char *configured)
{
	const char *s = args_get(run_args(d->run), option);

	return s != NULL || d->resumed ? s : configured;
}

static int reissue_limits(struct reissue *d, struct err *e)
{
	const struct rollout *r = &run_incident(d->run)->rollout;
	const struct fleet_conf *f = &run_config(d->run)->fleet;
	const long was[FLEET_LIMITS] = { r->failed, r->unreachable, r->refused };
	const char *configured[FLEET_LIMITS] = { f->max_failed, f->max_unreachable, f->max_refused };

	for (size_t i = 0; i < FLEET_LIMITS; i++) {
		const char *s = reissue_option(d, limits[i].option, configured[i]);
		char *end = NULL;

		d->limit[i] = d->resumed ? was[i] : FLEET_NO_LIMIT;
		if (s == NULL || strcmp(s, "none") == 0) {
			d->limit[i] = s != NULL ? FLEET_NO_LIMIT : d->limit[i];
			continue;
		}
		d->limit[i] = strtol(s, &end, 10);
		if (s[0] < '0' || s[0] > '9' || *end != '\0' || d->limit[i] > 1000000)
			return err_set(e, ERR_USAGE, _("reissue: --%s '%s' is not a number of hosts, or none"),
			    limits[i].option, s);
	}
	return 0;
}

static bool reissue_has(const struct reissue *d, const char *host)
{
	for (size_t i = 0; i < d->targets; i++)
		if (strcmp(d->target[i]->name, host) == 0)
			return true;
	return false;
}

/* What came out badly before and is not tried again counts still, and a canary among it forbids the rest. */
static int reissue_before(struct reissue *d, struct err *e)
{
	const struct incident *in = run_incident(d->run);
	const char *first[FLEET_LIMITS] = { NULL };

	for (size_t h = 0; h < in->hosts; h++) {
		const struct host_row *row = &in->host[h];

		if (row->wave == 0 || !row->tried || !row_failed(row) || reissue_has(d, row->host))
			continue;
		for (size_t i = 0; i < FLEET_LIMITS; i++)
			if ((row_is(row, limits[i].state) || row_is(row, limits[i].state2)) && d->before[i]++ == 0)
				first[i] = row->host;
		if (strcmp(in->rollout.wave[row->wave - 1].name, WAVE_CANARIES) != 0)
			continue;
		err_set(e, ERR_REFUSED, _("reissue: the canary %s is not verified: %s"), row->host, row->state);
		return err_remedy(e, _("mend it, then: sev1 reissue --resume --retry failed; or leave it out: sev1 rollout skip %s"),
		    row->host);
	}
	for (size_t i = 0; i < FLEET_LIMITS; i++) {
		if (d->limit[i] == FLEET_NO_LIMIT || d->before[i] <= d->limit[i])
			continue;
		err_set(e, ERR_REFUSED, _("reissue: %ld hosts are %s, more than --%s %ld allows"), d->before[i], limits[i].state,
		    limits[i].option, d->limit[i]);
		return err_remedy(e, _("remove the cause, then: sev1 reissue --resume --retry failed; or leave out what "
		    "is not to be tried: sev1 rollout skip %s; or allow more: --%s %ld"), first[i], limits[i].option, d->before[i]);
	}
	return 0;
}

/* ---- waves ---- */

/* Bring host to place at, the others one further. ERR_USAGE where it is none of the inventory; one that is
 * verified already is no canary any more. */
static int canary_first(struct reissue *d, const char *host, size_t *at, struct err *e)
{
	const struct server *s;

	for (size_t i = 0; i < d->targets; i++) {
		if (strcmp(d->target[i]->name, host) != 0)
			continue;
		if (i < *at)
			return err_set(e, ERR_USAGE, _("reissue: the canary %s is named twice"), host);
		s = d->target[i];
		memmove(d->target + *at + 1, d->target + *at, (i - *at) * sizeof *d->target);
		d->target[(*at)++] = s;
		return 0;
	}
	/* one of [fleet] need not be among those that are re-issued this time */
	if (!args_has(run_args(d->run), "canaries") || row_is(incident_host(run_incident(d->run), host), "verified"))
		return 0;
	return err_set(e, ERR_USAGE, _("reissue: the canary '%s' is none of the hosts that are re-issued"), host);
}

/* A number, or names separated by commas. */
static int reissue_canaries(struct reissue *d, size_t *canaries, struct err *e)
{
	const char *s = reissue_option(d, "canaries", run_config(d->run)->fleet.canaries);
	int rc = 0;

	*canaries = 0;
	if (s == NULL)
		return 0;
	if (strspn(s, "0123456789") == strlen(s) && s[0] != '\0') {
		*canaries = strtoul(s, NULL, 10);
		return 0;
	}
	while (rc == 0) {
		char *name = mem_strndup(s, strcspn(s, ","));

		rc = canary_first(d, name, canaries, e);
		s += strlen(name);
		free(name);
		if (*s++ == '\0')
			break;
	}
	return rc;
}

/* What is left of the waves in the journal; target is put in their order. */
static void reissue_recall(struct reissue *d)
{
	const struct incident *in = run_incident(d->run);
	const struct server **sorted = mem_zalloc(d->targets + 1, sizeof *sorted);
	size_t n = 0;

	for (size_t w = 0; w < in->rollout.waves; w++) {
		size_t from = n;

		for (size_t i = 0; i < d->targets; i++)
			if (incident_host(in, d->target[i]->name)->wave == w + 1)
				sorted[n++] = d->target[i];
		waves_add(&d->waves, in->rollout.wave[w].name, n - from,
		    strcmp(in->rollout.wave[w].name, WAVE_CANARIES) == 0);
	}
	free(d->target);
	d->target = sorted;
}

int reissue_waves(struct reissue *d, struct err *e)
{
	size_t canaries = 0;
	int rc;

	if ((rc = reissue_check_options(d, e)) < 0 || (rc = reissue_limits(d, e)) < 0)
		return rc;
	if (d->resumed) {
		reissue_recall(d);
		return d->targets > 0 ? reissue_before(d, e) : 0;
	}
	if ((rc = reissue_canaries(d, &canaries, e)) < 0)
		return rc;
	return waves_cut(&d->waves, reissue_option(d, "waves", run_config(d->run)->fleet.waves), canaries, d->targets, e);
}

/* ---- words ---- */

void reissue_waves_plan(const struct reissue *d, struct plan *p)
{
	struct buf b = { 0 };
	char *words = waves_words(&d->waves);

	if (d->waves.count > 1)
		plan_row(p, _("waves"), "%s", words);
	free(words);
	for (size_t i = 0; i < FLEET_LIMITS; i++)
		if (d->limit[i] != FLEET_NO_LIMIT)
			buf_addf(&b, "%s%s > %ld", b.len > 0 ? _(" or ") : "", limits[i].state, d->limit[i]);
	if (d->waves.count > 0 && d->waves.wave[0].all && d->waves.wave[0].hosts > 0)
		buf_addf(&b, "%s%s", b.len > 0 ? _(" or ") : "", _("a canary that is not verified"));
	if (b.len > 0)
		plan_row(p, _("stops at"), "%s", b.data);
	buf_clear(&b);
	for (size_t i = 0; i < FLEET_LIMITS; i++)
		if (d->before[i] > 0)
			buf_addf(&b, "%s%s %ld", b.len > 0 ? ", " : "", limits[i].state, d->before[i]);
	if (b.len > 0)
		plan_row(p, _("counted before"), "%s", b.data);
	buf_free(&b);
}

static json_t *waves_json(const struct reissue *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->waves.count; i++)
		json_array_append_new(list, json_pack("{s:s, s:I}", "name", d->waves.wave[i].name, "hosts",
		    (json_int_t)d->waves.wave[i].hosts));
	return list;
}

static json_t *limits_json(const long n[FLEET_LIMITS])
{
	json_t *o = json_object();

	for (size_t i = 0; i < FLEET_LIMITS; i++)
		json_put_num(o, limits[i].key, n[i]);
	return o;
}

void reissue_waves_spec(const struct reissue *d, json_t *spec)
{
	json_object_set_new(spec, "waves", waves_json(d));
	json_object_set_new(spec, "limits", limits_json(d->limit));
	json_object_set_new(spec, "before", limits_json(d->before));
	json_object_set_new(spec, "resumed", json_boolean(d->resumed));
}

void reissue_waves_start(const struct reissue *d, json_t *body)
{
	json_object_set_new(body, "waves", waves_json(d));
	json_object_set_new(body, "limits", limits_json(d->limit));
	json_object_set_new(body, "resumed", json_boolean(d->resumed));
}

/* Which hosts, and what is done on each. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/dict.h"
#include "base/digest.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "work/ansible.h"
#include "work/reissue.h"
#include "work/servers.h"

#define SAMPLE 10
#define GROUPS_SHOWN 6

void reissue_free(void *data)
{
	struct reissue *d = data;

	fleet_free(d->fleet);
	ansible_free(d->ansible);
	if (d->flush != 0)
		loop_cancel(engine_loop(run_engine(d->run)), d->flush);
	loop_cancel(engine_loop(run_engine(d->run)), d->tick);
	reissue_drop_peers(d);
	waves_clear(&d->waves);
	compromised_clear(&d->compromised);
	replaced_clear(&d->replacing);
	inventory_free(d->inventory);
	for (size_t i = 0; i < d->profiles; i++)
		profile_free(d->profile[i]);
	free(d->profile);
	free(d->target);
	json_decref(d->ca);
	json_decref(d->rows);
	json_decref(d->order);
	json_decref(d->late);
	free(d);
}

/* A host that cannot be reached as the inventory wants it is not reached in another way. */
static int reissue_usable(const struct reissue *d, struct err *e)
{
	size_t bad = 0, first = 0;

	for (size_t i = d->targets; i > 0; i--)
		if (d->target[i - 1]->unusable != NULL) {
			bad++;
			first = i - 1;
		}
	if (bad == 0)
		return 0;
	err_set(e, ERR_USAGE, _("reissue: %zu hosts cannot be reached as the inventory wants; the first is %s: %s"), bad,
	    d->target[first]->name, d->target[first]->unusable);
	return err_remedy(e, _("see: sev1 inventory; write the value out there, or leave them out: --exclude %s"),
	    d->target[first]->name);
}

/* Two names of one server whose certificates go into one file: each would be verified, and then one of them
 * is not there any more. */
static int reissue_twins(struct reissue *d, struct err *e)
{
	char **place = mem_zalloc(d->targets, sizeof *place);
	struct dict seen = { 0 };
	size_t first;

	for (size_t i = 0; i < d->targets && e->code == 0; i++) {
		json_t *o = reissue_order(d, i), *host = json_object_get(o, "host");
		place[i] = mem_printf("%s port %lld%s%s: %s", json_str(host, "address"), (long long)json_num(host, "port", 0),
		    json_str(host, "jump")[0] != '\0' ? " by " : "", json_str(host, "jump"), json_str(o, "certificate"));
		json_decref(o);
		if ((first = dict_get(&seen, place[i])) == DICT_NONE) {
			dict_put(&seen, place[i], i);
			continue;
		}
		err_set(e, ERR_USAGE, _("reissue: %s and %s are one server with one certificate, %s"), d->target[first]->name,
		    d->target[i]->name, place[i]);
		err_remedy(e, _("name it once in the inventory, with the names of both (names, sev1_names); or leave one out: "
		    "--exclude %s"), d->target[i]->name);
	}
	dict_free(&seen);
	for (size_t i = 0; i < d->targets; i++)
		free(place[i]);
	free(place);
	return e->code;
}

static int reissue_choose(struct reissue *d, struct err *e)
{
	const struct args *a = run_args(d->run);
	const struct inventory *inv = d->inventory;
	bool *chosen;
	int rc;

	chosen = mem_zalloc(inv->servers, sizeof *chosen);
	d->target = mem_zalloc(inv->servers, sizeof *d->target);
	rc = inventory_choose(inv, args_get(a, "only"), args_get(a, "exclude"), chosen, e);
	for (size_t i = 0; rc == 0 && i < inv->servers; i++)
		if (chosen[i] && reissue_wants(d, &inv->server[i]))
			d->target[d->targets++] = &inv->server[i];
	free(chosen);
	if (rc == 0)
		rc = reissue_usable(d, e);
	return rc < 0 ? rc : reissue_waves(d, e);
}

/* The issuer of the journal: one of the configuration, or one that was made here. */
static json_t *reissue_issuer(const struct run *r, struct err *e)
{
	const struct issuer *is = run_incident(r)->issuer;
	json_t *ca;

	if (is->config != NULL && is->config[0] != '\0')
		return json_pack("{s:s, s:s, s:s}", "name", is->name, "title", is->name, "config", is->config);
	if ((ca = ca_request(run_config(r), is->name)) == NULL) {
		err_set(e, ERR_NOTFOUND, _("the issuer %s is no longer in %s"), is->name, run_config(r)->path);
		err_remedy(e, _("choose another one: sev1 recover --issuer CA"));
	}
	return ca;
}

struct reissue *reissue_new(struct run *r, struct errs *es)
{
	const struct config *c = run_config(r);
	struct err e = { 0 };
	struct reissue *d = mem_zalloc(1, sizeof *d);
	char hex[DIGEST_HEX];

	d->run = r;
	run_set_data(r, d, reissue_free);
	/* A staged key belongs to this incident only, and is found again when it is resumed. */
	digest_of(run_incident(r)->id, strlen(run_incident(r)->id), hex);
	memcpy(d->tag, hex, 12);
	if ((d->inventory = servers_load(c, es)) == NULL)
		return NULL;
	servers_files(c, es);
	if (es->total > 0)
		return NULL;
	if (reissue_choose(d, &e) == 0 && reissue_profiles(d, &e) == 0 && reissue_twins(d, &e) == 0 &&
	    (d->ca = reissue_issuer(r, &e)) != NULL && ansible_check(r, &d->by_ansible, &e) == 0)
		return d;
	*errs_add(es, 0) = e;
	return NULL;
}

size_t reissue_gone(const struct reissue *d, char **names)
{
	const struct incident *in = run_incident(d->run);
	struct dict have = { 0 };
	struct buf b = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < d->inventory->servers; i++)
		dict_put(&have, d->inventory->server[i].name, i);
	for (size_t i = 0; i < in->hosts; i++) {
		const struct host_row *h = &in->host[i];

		if (strcmp(h->state, "verified") == 0 || strcmp(h->state, "skipped") == 0 || dict_get(&have, h->host) != DICT_NONE)
			continue;
		if (n++ < GROUPS_SHOWN)
			buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", h->host);
	}
	if (n > GROUPS_SHOWN)
		buf_addf(&b, _(" and %zu more"), n - GROUPS_SHOWN);
	dict_free(&have);
	*names = buf_take(&b);
	return n;
}

/* What is kept, where the keys of the certificates themselves are the matter. */
static const char *reissue_key(const struct reissue *d)
{
	if (reissue_new_key(run_config(d->run)))
		return _("a new one, made on each host");
	if (d->compromised.keys > 0)
		return _("each host keeps its own, but a stolen one is refused; key-mode = new in [fleet] makes new ones");
	return _("each host keeps its own");
}

/* All that is executed: the orders of every host, as a digest, beside what is the same for all. */
static json_t *reissue_spec(struct reissue *d)
{
	struct digest *all = digest_new();
	const struct fleet_conf *f = &run_config(d->run)->fleet;
	json_t *names = json_array(), *spec;
	char hex[DIGEST_HEX];

	for (size_t i = 0; i < d->targets; i++) {
		json_t *o = reissue_order(d, i);
		char *line;
		json_object_set_new(o, "probe", reissue_probe(d, i));
		line = json_line(o);
		digest_add(all, line, strlen(line));
		digest_add(all, "\n", 1);
		free(line);
		json_decref(o);
		json_array_append_new(names, json_string(d->target[i]->name));
	}
	digest_end(all, hex);
	spec = json_pack("{s:s, s:s, s:O, s:s, s:o, s:i, s:s, s:i}", "engine",
	    d->by_ansible ? "ansible" : "ssh", "issuer", run_incident(d->run)->issuer->name,
	    "ca", d->ca, "orders", hex, "hosts", names, "days", f->days, "blocklist",
	    f->blocklist != NULL ? f->blocklist : "", "deadline", f->deadline);
	if (d->compromised.keys > 0)
		json_put_num(spec, "stolen", d->compromised.keys);
	reissue_waves_spec(d, spec);
	return spec;
}

static void reissue_names(struct plan *p, const struct reissue *d)
{
	struct buf b = { 0 };
	size_t names = 0;

	for (size_t i = 0; i < d->targets; i++)
		names += d->target[i]->count;
	if (reissue_in_place(run_config(d->run)))
		buf_addf(&b, _("those of the certificates in place, which must be ours and cover the host"));
	else
		buf_addf(&b, _("%zu names, from the inventory"), names);
	plan_row(p, _("names"), "%s", b.data);
	buf_free(&b);
}

/* Where the hosts come from: what the inventory resolved to, and its groups. */
static void reissue_inventory(struct plan *p, const struct reissue *d)
{
	const struct inventory *inv = d->inventory;
	struct buf b = { 0 };
	size_t apart = 0;

	for (size_t i = 0; i < inv->servers; i++)
		apart += inv->server[i].apart;
	plan_row(p, _("inventory"), _("%zu hosts in %s"), inv->servers, inv->path);
	if (apart > 0)
		plan_row(p, _("left out"), _("%zu that are not reached over SSH"), apart);
	for (size_t g = 0; g < inv->groups && g < GROUPS_SHOWN; g++)
		buf_addf(&b, "%s%s %zu", g > 0 ? ", " : "", inv->group[g].name, inv->group[g].servers);
	if (inv->groups > GROUPS_SHOWN)
		buf_addf(&b, _(" and %zu more"), inv->groups - GROUPS_SHOWN);
	if (inv->groups > 0)
		plan_row(p, _("groups"), "%s", buf_str(&b));
	for (size_t i = 0; i < inv->notes && i < GROUPS_SHOWN; i++)
		plan_line(p, _("not used: %s"), inv->note[i]);
	buf_free(&b);
}

/* "nginx 40, haproxy 2"; what follows in the plan is the first host's. */
static void reissue_plan_profiles(struct plan *p, const struct reissue *d)
{
	const char *usual = run_config(d->run)->fleet.profile;
	struct buf b = { 0 };

	for (size_t i = 0; i < d->profiles; i++) {
		size_t n = 0;
		for (size_t k = 0; k < d->targets; k++) {
			const char *name = d->target[k]->profile != NULL ? d->target[k]->profile : usual;
			n += name != NULL && strcmp(name, d->profile[i]->name) == 0;
		}
		buf_addf(&b, "%s%s %zu", i > 0 ? ", " : "", d->profile[i]->name, n);
	}
	plan_row(p, _("profiles"), _("%s (below: that of %s)"), buf_str(&b), d->target[0]->name);
	buf_free(&b);
}

struct plan *reissue_plan(struct reissue *d)
{
	const struct reissue_how how = reissue_how(d, d->target[0]);
	const struct fleet_conf *f = &run_config(d->run)->fleet;
	const struct issuer *is = run_incident(d->run)->issuer;
	char *phrase = mem_printf("REISSUE %zu", d->targets), count[32], keys[64], *title, *s;
	struct plan *p;

	title = mem_printf(_("Re-issue from %s"), is->name);
	p = plan_new(title, phrase, reissue_spec(d));
	plan_row(p, _("issuer"), "%s", is->subject);
	plan_row(p, _("hosts"), "%s", text_count(count, (long long)d->targets));
	reissue_inventory(p, d);
	if (d->verified > 0)
		plan_row(p, _("verified"), _("%zu left as they are"), d->verified);
	if (d->former > 0)
		plan_row(p, _("other issuer"), _("%zu of these have theirs from the issuer before this one; replace them too: --again"),
		    d->former);
	if (reissue_gone(d, &s) > 0)
		plan_row(p, _("gone"), _("no longer in the inventory, not verified and not done here: %s"), s);
	free(s);
	if (d->skipped > 0)
		plan_row(p, _("skipped"), _("%zu left out by the operator"), d->skipped);
	reissue_waves_plan(d, p);
	plan_row(p, _("key"), "%s", reissue_key(d));
	reissue_names(p, d);
	plan_row(p, _("valid"), _("%d days"), f->days);
	if (d->by_ansible)
		ansible_plan(p, d);
	plan_row(p, _("certificate"), how.combined ? _("%s, with its key") : "%s", how.certificate);
	if (d->profiles > 0)
		reissue_plan_profiles(p, d);
	if (f->blocklist != NULL)
		plan_row(p, _("refused keys"), "%s", f->blocklist);
	if (d->compromised.keys > 0)
		plan_row(p, _("stolen keys"), _("%s that the scope revokes for keyCompromise, refused"),
		    text_certificates(keys, d->compromised.keys));
	plan_row(p, _("at a time"), _("%d hosts, %d s each"), f->concurrency, f->deadline);
	s = host_expand(how.test, d->target[0]->name);
	plan_line(p, "%s: %s", _("test"), s != NULL ? s : _("none"));
	free(s);
	s = host_expand(how.reload, d->target[0]->name);
	plan_line(p, "%s: %s", _("reload"), s != NULL ? s : _("none"));
	free(s);
	plan_line(p, _("then a handshake on port %d must present the new certificate, or the old files come back"),
	    how.probe_port);
	for (size_t i = 0; i < d->targets && i < SAMPLE; i++)
		plan_line(p, "%s  %s%s", d->target[i]->name, d->target[i]->names[0],
		    d->target[i]->count > 1 ? " ..." : "");
	if (d->targets > SAMPLE)
		plan_line(p, _("and %zu more"), d->targets - SAMPLE);
	free(title);
	free(phrase);
	return p;
}

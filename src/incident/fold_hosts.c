/* Events of the fleet: a row for each host, and what was replaced. */
#include "incident/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

static struct host_row *host_add(struct incident *in, const char *name)
{
	struct host_row *h = (struct host_row *)incident_host(in, name);

	if (h != NULL)
		return h;
	in->host = fold_list(in->host, &in->hosts, sizeof *in->host);
	h = &in->host[in->hosts - 1];
	fold_literal(&h->host, name);
	fold_literal(&h->phase, "");
	fold_literal(&h->state, "waiting");
	fold_literal(&h->detail, "");
	fold_literal(&h->serial, "");
	fold_literal(&h->fingerprint, "");
	dict_put(&in->by_host, h->host, in->hosts - 1);
	return h;
}

static bool host_failed(const struct host_row *h)
{
	return strcmp(h->state, "verified") != 0 && strcmp(h->state, "waiting") != 0 &&
	    strcmp(h->state, "running") != 0 && strcmp(h->state, "skipped") != 0;
}

/* What a host said, its lines joined. */
static char *host_output(const json_t *lines)
{
	struct buf b = { 0 };
	const json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
		buf_addf(&b, "%s%s", i > 0 ? "\n" : "", json_is_string(line) ? json_string_value(line) : "");
	return buf_take(&b);
}

/* What comes with a host's last word. */
static void host_ended(struct host_row *h, const json_t *item)
{
	const json_t *before = json_object_get(item, "before");

	if (json_object_get(item, "phases") == NULL)
		return;
	fold_set(&h->phases, item, "phases");
	free(h->output);
	h->output = host_output(json_list(item, "output"));
	if (before == NULL)
		return;
	fold_set(&h->old_serial, before, "serial");
	fold_set(&h->old_fingerprint, before, "fingerprint");
	fold_set(&h->old_subject, before, "subject");
	h->old_not_after = json_num(before, "not_after", 0);
}

void apply_hosts(struct incident *in, const struct event *ev)
{
	const json_t *list, *item;
	size_t i;

	if (ev->kind == EV_REISSUE_START) {
		in->reissue_at = ev->at;
		if (in->reissue_first == 0)
			in->reissue_first = ev->at;
		list = json_list(ev->body, "hosts");
		json_array_foreach(list, i, item)
			host_add(in, json_is_string(item) ? json_string_value(item) : "");
		return;
	}
	list = json_list(ev->body, "rows");
	json_array_foreach(list, i, item) {
		struct host_row *h = host_add(in, json_str(item, "host"));
		fold_set(&h->phase, item, "phase");
		fold_set(&h->state, item, "state");
		fold_set(&h->detail, item, "detail");
		if (json_str(item, "serial")[0] != '\0')
			fold_set(&h->serial, item, "serial");
		if (json_str(item, "fingerprint")[0] != '\0')
			fold_set(&h->fingerprint, item, "fingerprint");
		h->not_after = json_num(item, "not_after", h->not_after);
		h->ms = json_num(item, "ms", 0);
		h->at = ev->at;
		if (strcmp(h->state, "verified") == 0 && in->issuer != NULL)
			fold_literal(&h->issuer, in->issuer->fingerprint);
		h->tried = strcmp(h->state, "waiting") != 0 && strcmp(h->state, "running") != 0;
		host_ended(h, item);
	}
	in->hosts_verified = in->hosts_failed = 0;
	for (i = 0; i < in->hosts; i++) {
		in->hosts_verified += strcmp(in->host[i].state, "verified") == 0;
		in->hosts_failed += host_failed(&in->host[i]);
	}
}

void apply_ari(struct incident *in, const struct event *ev)
{
	if (strcmp(json_str(ev->body, "state"), "written") != 0)
		return;
	fold_set(&in->ari.folder, ev->body, "folder");
	fold_set(&in->ari.sha256, ev->body, "sha256");
	in->ari.files = json_num(ev->body, "files", 0);
	in->ari.at = ev->at;
}

void apply_replaced(struct incident *in, const struct event *ev)
{
	in->replaced = fold_list(in->replaced, &in->replacements, sizeof *in->replaced);
	in->replaced[in->replacements - 1] = (struct replaced){ .at = ev->at, .total = json_num(ev->body, "total", 0),
		.replaced = json_num(ev->body, "replaced", 0), .seen = json_num(ev->body, "seen", 0),
		.unknown = json_num(ev->body, "unknown", 0) };
}

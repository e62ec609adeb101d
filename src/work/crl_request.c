/* What the parts of the crl command ask and say alike. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/request.h"
#include "pki/crl_hours.h"
#include "work/crl.h"

void crl_show(struct run *r, const char *ca, const json_t *crl)
{
	const char *part = json_str(crl, "part");
	char n[64], size[16], until[24];

	run_out(r, _("%-20s CRL %s%s%s: %s, %s, %s, next update %s"), ca, json_str(crl, "number"),
	    part[0] != '\0' ? "/" : "", part, text_entries(n, json_num(crl, "entries", 0)),
	    text_size(size, json_num(crl, "octets", 0)), json_str(crl, "signature"),
	    clock_iso(until, sizeof until, json_num(crl, "next_update", 0)));
}

int crl_hours(struct run *r, const char *ca, struct err *e)
{
	const char *s = args_get(run_args(r), "hours");
	const struct ca_conf *conf = config_ca(run_config(r), ca);
	char *end = NULL;
	long n;

	if (s == NULL)
		return conf != NULL && conf->crl_hours > 0 ? conf->crl_hours : 24;
	n = strtol(s, &end, 10);
	if (n >= 1 && n <= CRL_HOURS_MAX && *end == '\0')
		return (int)n;
	err_set(e, ERR_USAGE, _("crl: --hours '%s' is not a number from 1 to %d"), s, CRL_HOURS_MAX);
	return 0;
}

json_t *crl_request(struct run *r, const char *op, const char *ca, struct err *e)
{
	bool open = run_incident(r) != NULL;
	char *folder = open ? engine_folder(run_engine(r), "crl", e) : mem_strdup("");
	json_t *o;

	if (folder == NULL)
		return NULL;
	o = json_object();
	json_put(o, "op", op);
	if (ca != NULL) {
		json_object_set_new(o, "ca", ca_request(run_config(r), ca));
		if (open) /* what is read of certificates is kept beside the incident */
			json_object_set_new(o, "partitions", partitions_request(run_config(r), ca));
	}
	json_put(o, "folder", folder);
	json_put_num(o, "at", clock_now());
	free(folder);
	return o;
}

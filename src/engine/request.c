#include "engine/request.h"

#include <string.h>

#include "base/json.h"

static void request_put(json_t *o, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(o, key, json_string(value));
}

json_t *ca_request(const struct config *c, const char *name)
{
	const struct ca_conf *ca = config_ca(c, name);
	json_t *o;

	if (ca == NULL)
		return NULL;
	o = json_object();
	request_put(o, "name", ca->name);
	request_put(o, "title", ca->title);
	request_put(o, "config", ca->config);
	request_put(o, "section", ca->section);
	request_put(o, "key", ca->key);
	request_put(o, "module", ca->pkcs11_module);
	request_put(o, "parent", ca->parent);
	return o;
}

json_t *host_request(const struct config *c, const char *name)
{
	const struct host_conf *h = config_host(c, name);
	json_t *o;

	if (h == NULL)
		return NULL;
	o = json_object();
	request_put(o, "name", h->name);
	request_put(o, "address", h->address);
	request_put(o, "user", h->user);
	request_put(o, "identity", h->identity);
	request_put(o, "known_hosts", h->known_hosts);
	request_put(o, "ssh_config", c->ssh_config);
	json_put_num(o, "port", h->port);
	return o;
}

json_t *partitions_request(const struct config *c, const char *ca)
{
	json_t *list = json_array(), *o, *v;
	size_t k;

	for (size_t i = 0; i < c->points; i++) {
		const struct point_conf *p = &c->point[i];

		if (p->partition == NULL || strcmp(p->ca, ca) != 0)
			continue;
		o = NULL;
		json_array_foreach(list, k, v)
			if (strcmp(json_str(v, "name"), p->partition) == 0)
				o = v;
		if (o == NULL) {
			o = json_pack("{s:s,s:[]}", "name", p->partition, "urls");
			json_array_append_new(list, o);
		}
		json_array_append_new(json_object_get(o, "urls"), json_string(p->url));
	}
	return list;
}

json_t *cas_request(const struct config *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->cas; i++)
		json_array_append_new(list, ca_request(c, c->ca[i].name));
	return list;
}

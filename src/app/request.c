#include "app/request.h"

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

#include "ui_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "journal/journal.h"

#define MINUTE 60000LL

/* ---- the configuration: stands in for config.c ---- */

static struct ca_conf cas[] = {
	{ .name = (char *)"root", .title = (char *)"Example Root CA", .config = (char *)"/ca/root/openssl.cnf" },
	{ .name = (char *)"issuing1", .title = (char *)"Issuing CA 1", .parent = (char *)"root" },
	{ .name = (char *)"issuing2", .title = (char *)"Issuing CA 2", .parent = (char *)"root" },
	{ .name = (char *)"issuing3", .title = (char *)"Issuing CA 3", .parent = (char *)"root", .spare = true },
};
static struct point_conf points[] = {
	{ .name = (char *)"crl1", .ca = (char *)"issuing2", .url = (char *)"http://crl1.example.com/issuing2.crl" },
	{ .name = (char *)"crl2", .ca = (char *)"issuing2", .url = (char *)"http://crl2.example.com/issuing2.crl" },
};
static struct action_conf actions[] = {
	{ .name = (char *)"pki", .title = (char *)"stop pki-ca", .host = (char *)"ca01" },
	{ .name = (char *)"ocsp", .title = (char *)"stop ocsp-responder", .host = (char *)"ca01" },
	{ .name = (char *)"ports", .title = (char *)"block 80, 443", .kind = ACTION_FIREWALL, .host = (char *)"ca01" },
	{ .name = (char *)"lock", .title = (char *)"lock signing key", .kind = ACTION_KEYLOCK, .host = (char *)"hsm" },
	{ .name = (char *)"image", .title = (char *)"forensic image", .kind = ACTION_IMAGE, .host = (char *)"ca01" },
};
static char *management[] = { (char *)"ciso@example.com", (char *)"cto@example.com" };
static struct notice_conf notices[] = {
	{ .name = (char *)"management", .transport = (char *)"smtp", .to = management, .tos = 2 },
	{ .name = (char *)"internal", .transport = (char *)"smtp", .to = management, .tos = 1 },
};
static struct config config;
static char *state;
static bool found;

void fake_config(const char *folder, bool with)
{
	state = mem_strdup(folder);
	found = with;
	config = (struct config){ .path = (char *)"/etc/sev1/sev1.conf", .state = state,
		.organisation = (char *)"Example", .profile = (char *)"private", .ca = cas, .cas = 4,
		.point = points, .points = 2, .action = actions, .actions = 5, .notice = notices, .notices = 2 };
}

char *config_find(const char *path, struct err *e)
{
	(void)path;
	if (found)
		return mem_strdup("/etc/sev1/sev1.conf");
	setenv("XDG_STATE_HOME", state, 1);
	err_set(e, ERR_NOTFOUND, "no configuration: tried /root/.config/sev1/sev1.conf, /etc/sev1/sev1.conf");
	err_remedy(e, "write one from what is found here: sev1 init");
	return NULL;
}

struct config *config_load(const char *path, struct err *e)
{
	(void)path;
	(void)e;
	return &config;
}

void config_free(struct config *c)
{
	(void)c;
}

const struct ca_conf *config_ca(const struct config *c, const char *name)
{
	for (size_t i = 0; name != NULL && i < c->cas; i++)
		if (strcmp(c->ca[i].name, name) == 0)
			return &c->ca[i];
	return NULL;
}

const struct host_conf *config_host(const struct config *c, const char *name)
{
	(void)c;
	(void)name;
	return NULL;
}

const struct action_conf *config_action(const struct config *c, const char *name)
{
	for (size_t i = 0; name != NULL && i < c->actions; i++)
		if (strcmp(c->action[i].name, name) == 0)
			return &c->action[i];
	return NULL;
}

const struct notice_conf *config_notice(const struct config *c, const char *name)
{
	for (size_t i = 0; name != NULL && i < c->notices; i++)
		if (strcmp(c->notice[i].name, name) == 0)
			return &c->notice[i];
	return NULL;
}

/* ---- scenes ---- */

struct step {
	int64_t at; /* ms after the declaration */
	enum event_kind kind;
	const char *body;
};

#define CHECKPOINTS                                                                                       \
	"\"checkpoints\":["                                                                               \
	"{\"n\":1,\"title\":\"Triage completed\",\"due\":15,\"command\":\"triage\",\"evidence\":\"scope-frozen\"}," \
	"{\"n\":2,\"title\":\"CA offline\",\"due\":20,\"command\":\"contain\",\"evidence\":\"actions-held\"},"     \
	"{\"n\":3,\"title\":\"Management informed\",\"due\":25,\"command\":\"notify management\",\"evidence\":\"notice:management\"}," \
	"{\"n\":4,\"title\":\"Emergency CRL generated\",\"due\":30,\"command\":\"revoke\",\"evidence\":\"crl-made\"},"      \
	"{\"n\":5,\"title\":\"CRL distributed\",\"due\":35,\"command\":\"publish\",\"evidence\":\"crl-published\"},"         \
	"{\"n\":6,\"title\":\"Internal communication\",\"due\":40,\"command\":\"notify internal\",\"evidence\":\"notice:internal\"}," \
	"{\"n\":7,\"title\":\"External communication\",\"due\":45,\"command\":\"notify external\",\"evidence\":\"notice:external\"}," \
	"{\"n\":8,\"title\":\"Recovery plan activated\",\"due\":60,\"command\":\"recover\",\"evidence\":\"reissue-verified\"}]," \
	"\"followups\":[{\"n\":1,\"title\":\"Forensic report\",\"due\":1440},"                            \
	"{\"n\":2,\"title\":\"Root cause analysis\",\"due\":2880},"                                       \
	"{\"n\":3,\"title\":\"Lessons learned\",\"due\":10080},"                                          \
	"{\"n\":4,\"title\":\"Improved controls\",\"due\":20160},"                                        \
	"{\"n\":5,\"title\":\"Authorities notified\",\"due\":-1}],"                                       \
	"\"times\":{\"revocation\":{\"default\":1440},\"issued\":1440,\"certificate\":1440,\"preliminary\":1440,"  \
	"\"answer\":{\"default\":360},\"circumstances\":[],\"warnings\":[{\"percent\":50},{\"left\":60}]}"

static int scene_open(struct engine *en, const char *id, const char *title, const char *kind, int64_t at,
    struct err *e)
{
	char *text = mem_printf("{\"id\":\"%s\",\"title\":\"%s\",\"kind\":\"%s\",\"profile\":\"private\","
	    "\"organisation\":\"Example\",\"declared\":%lld,\"root\":\"%s\"," CHECKPOINTS "}", id, title, kind,
	    (long long)at, strcmp(kind, "drill") == 0 ? state : "");
	json_t *body = json_read(text, strlen(text), e);

	free(text);
	clock_pin(at);
	return body == NULL ? -1 : engine_create(en, body, e);
}

static int scene_play(struct engine *en, const struct step *steps, struct err *e)
{
	for (; steps->body != NULL; steps++) {
		json_t *body = json_read(steps->body, strlen(steps->body), e);
		clock_pin(FAKE_DECLARED + steps->at);
		if (body == NULL || engine_append(en, steps->kind, body, e) < 0)
			return -1;
	}
	return 0;
}

static const struct step middle[] = {
	{ 130000, EV_NOTE, "{\"text\":\"key offered for sale, sample signature verified\"}" },
	{ 9 * MINUTE, EV_TRIAGE, "{\"ca\":\"issuing2\",\"level\":\"intermediate\",\"compromise\":1,"
	    "\"trigger\":\"Intermediate compromised\",\"action\":\"Sub-CA and all its certificates\","
	    "\"received\":1788140640000,\"channel\":\"phone\",\"reporter\":\"A. Reporter\",\"since\":1788127200000,"
	    "\"reason\":\"keyCompromise\",\"selectors\":{},\"tell\":[\"CISO\",\"Management\",\"IT Security\"],"
	    "\"deadline\":1788227040000}" },
	{ 662000, EV_SCOPE, "{\"manifest\":\"9f3c11ab52d0c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5\","
	    "\"count\":4813,\"cas\":[{\"ca\":\"issuing2\",\"valid\":4812,\"expired\":901,\"revoked\":37,\"unreadable\":0,"
	    "\"selected\":4812,\"manifest\":\"9f3c\"}],\"own\":[{\"ca\":\"issuing2\",\"issuer\":\"root\",\"serial\":\"1003\","
	    "\"subject\":\"CN=Issuing CA 2\"}]}" },
	{ 670000, EV_ACTION_START, "{\"id\":\"pki\",\"title\":\"stop pki-ca\",\"kind\":\"command\",\"host\":\"ca01\","
	    "\"command\":\"systemctl stop pki-ca\",\"verify\":\"\",\"undo\":\"systemctl start pki-ca\"}" },
	{ 670100, EV_ACTION_START, "{\"id\":\"ocsp\",\"title\":\"stop ocsp-responder\",\"kind\":\"command\","
	    "\"host\":\"ca01\",\"command\":\"systemctl stop ocsp-responder\",\"verify\":\"\",\"undo\":\"\"}" },
	{ 670200, EV_ACTION_START, "{\"id\":\"ports\",\"title\":\"block 80, 443\",\"kind\":\"firewall\","
	    "\"host\":\"ca01\",\"command\":\"iptables -I INPUT 1 ...\",\"verify\":\"\",\"undo\":\"\"}" },
	{ 670800, EV_ACTION_END, "{\"id\":\"pki\",\"outcome\":\"held\",\"detail\":\"inactive\",\"ms\":800}" },
	{ 731700, EV_ACTION_END, "{\"id\":\"ocsp\",\"outcome\":\"held\",\"detail\":\"inactive\",\"ms\":700}" },
	{ 0, 0, NULL }
};

static const struct step late[] = {
	{ 760000, EV_ACTION_END, "{\"id\":\"ports\",\"outcome\":\"held\",\"detail\":\"no answer on 80, 443\",\"ms\":1900}" },
	{ 21 * MINUTE, EV_NOTICE_START, "{\"notice\":\"management\",\"sha256\":\"aa\",\"subject\":\"SEV-1: Issuing CA 2\","
	    "\"to\":[\"ciso@example.com\",\"cto@example.com\"]}" },
	{ 21 * MINUTE + 2000, EV_NOTICE, "{\"notice\":\"management\",\"to\":\"ciso@example.com\",\"outcome\":\"accepted\","
	    "\"detail\":\"250 ok\",\"transport\":\"smtp\"}" },
	{ 21 * MINUTE + 3000, EV_NOTICE, "{\"notice\":\"management\",\"to\":\"cto@example.com\",\"outcome\":\"failed\","
	    "\"detail\":\"550 no such user \\u001b[2J\",\"transport\":\"smtp\"}" },
	{ 26 * MINUTE, EV_REVOKE_START, "{\"ca\":\"issuing2\",\"plan\":\"p\",\"manifest\":\"9f3c\",\"count\":4812,\"stamp\":1788144000000}" },
	{ 26 * MINUTE + 900, EV_REVOKE_END, "{\"ca\":\"issuing2\",\"plan\":\"p\",\"outcome\":\"done\",\"planned\":4812,"
	    "\"revoked\":4812,\"backup\":\"index.txt.pre-emergency-20260831024000\",\"detail\":\"\",\"ms\":900}" },
	{ 26 * MINUTE + 1000, EV_CRL, "{\"ca\":\"issuing2\",\"number\":\"1F\",\"entries\":4849,\"this_update\":1788144000000,"
	    "\"next_update\":1788147600000,\"sha256\":\"77aa\",\"der\":\"/x.crl\",\"pem\":\"/x.pem\",\"octets\":190000,"
	    "\"signature\":\"ecdsa-with-SHA384\",\"revoke\":true}" },
	{ 26 * MINUTE + 1100, EV_REVOKE_START, "{\"ca\":\"root\",\"plan\":\"p\",\"manifest\":\"11\",\"count\":1,\"stamp\":1788144000000}" },
	{ 26 * MINUTE + 1200, EV_REVOKE_END, "{\"ca\":\"root\",\"plan\":\"p\",\"outcome\":\"done\",\"planned\":1,"
	    "\"revoked\":1,\"backup\":\"index.txt.pre-emergency-20260831024000\",\"detail\":\"\",\"ms\":100}" },
	{ 26 * MINUTE + 1300, EV_CRL, "{\"ca\":\"root\",\"number\":\"07\",\"entries\":1,\"this_update\":1788144000000,"
	    "\"next_update\":1788747600000,\"sha256\":\"88bb\",\"der\":\"/r.crl\",\"pem\":\"/r.pem\",\"octets\":600,"
	    "\"signature\":\"ecdsa-with-SHA384\",\"revoke\":true}" },
	{ 30 * MINUTE, EV_POINT, "{\"ca\":\"issuing2\",\"point\":\"crl1\",\"url\":\"http://crl1.example.com/issuing2.crl\","
	    "\"sha256\":\"77aa\",\"state\":\"verified\",\"attempt\":1,\"detail\":\"190 000 octets\"}" },
	{ 31 * MINUTE, EV_POINT, "{\"ca\":\"issuing2\",\"point\":\"crl2\",\"url\":\"http://crl2.example.com/issuing2.crl\","
	    "\"sha256\":\"77aa\",\"state\":\"failed\",\"attempt\":3,\"detail\":\"serves the old bytes\"}" },
	{ 40 * MINUTE, EV_CHECKPOINT, "{\"n\":7,\"state\":\"waived\",\"reason\":\"private PKI, no outside parties\"}" },
	{ 45 * MINUTE, EV_ISSUER, "{\"name\":\"issuing3\",\"subject\":\"CN=Issuing CA 3\","
	    "\"fingerprint\":\"c0ffee11ab52d0c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f708192a3b4\",\"spki\":\"bb\","
	    "\"not_after\":1945908840000,\"how\":\"existing\"}" },
	{ 0, 0, NULL }
};

/* What comes with a host's last word. */
static void scene_ended(json_t *o, int i, int k)
{
	char serial[32];

	snprintf(serial, sizeof serial, "%08X", 0x1c0a0000 + i);
	json_put(o, "phases", k == 5 ? "connect 0" : k == 3 ? "connect 0 csr 61 issue 144 install 190" :
	    "connect 0 csr 61 issue 144 install 190 test 244 reload 281 verify 302");
	if (k != 5)
		json_object_set_new(o, "before", json_pack("{s:s, s:s, s:s, s:I}", "serial", serial, "fingerprint",
		    "77aa11ab52d0c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5", "subject", "/CN=www.example.com",
		    "not_after", (json_int_t)1798761600000));
	if (k == 3)
		json_object_set_new(o, "output", json_pack("[s, s]", "cp: error writing '/etc/ssl/server.pem.sev1-x1Y2z3': "
		    "No space left on device", "/etc/ssl/server.pem: not written"));
	if (k == 7)
		json_object_set_new(o, "output", json_pack("[s, s]", "nginx: [emerg] \\x1B]0;owned\\x07 in nginx.conf:3",
		    "nginx: configuration file test failed"));
}

/* A twentieth of the hosts ends at a time, three seconds apart. */
static int scene_hosts_flush(struct engine *en, json_t *rows, int part, struct err *e)
{
	clock_pin(FAKE_DECLARED + 51 * MINUTE + part * 3000);
	return engine_append(en, EV_HOST, json_pack("{s:o}", "rows", rows), e);
}

/* Five hours later: one has answered, one waits, one's time is over, one was never reached. */
static const struct step told[] = {
	{ 63 * MINUTE, EV_ROSTER, "{\"file\":\"s.csv\",\"certificates\":4813,\"unmatched\":12,\"rows\":["
	    "{\"name\":\"reporter\",\"kind\":\"reporter\",\"mail\":\"r@outside.example\",\"phone\":\"\",\"webhook\":\"\"},"
	    "{\"name\":\"acme\",\"kind\":\"subscriber\",\"mail\":\"pki@acme.example\",\"phone\":\"+49 1\",\"webhook\":\"\","
	    "\"certificates\":4012,\"reasons\":{\"keyCompromise\":4012}},"
	    "{\"name\":\"bank\",\"kind\":\"subscriber\",\"mail\":\"\",\"phone\":\"+49 2\",\"webhook\":\"https://bank.example/...0a1b2c3d\","
	    "\"certificates\":780,\"reasons\":{\"keyCompromise\":780}},"
	    "{\"name\":\"clinic\",\"kind\":\"subscriber\",\"mail\":\"it@clinic.example\",\"phone\":\"\",\"webhook\":\"\","
	    "\"certificates\":8,\"reasons\":{\"keyCompromise\":8}},"
	    "{\"name\":\"school\",\"kind\":\"subscriber\",\"mail\":\"it@school.example\",\"phone\":\"\",\"webhook\":\"\","
	    "\"certificates\":1,\"reasons\":{\"keyCompromise\":1}}]}" },
	{ 64 * MINUTE, EV_NOTICE, "{\"notice\":\"preliminary:reporter\",\"to\":\"r@outside.example\",\"outcome\":\"accepted\","
	    "\"detail\":\"250 ok\",\"transport\":\"smtp\"}" },
	{ 65 * MINUTE, EV_NOTICE, "{\"notice\":\"subscriber:acme\",\"to\":\"pki@acme.example\",\"outcome\":\"accepted\","
	    "\"detail\":\"250 ok\",\"transport\":\"smtp\"}" },
	{ 66 * MINUTE, EV_NOTICE, "{\"notice\":\"subscriber:clinic\",\"to\":\"it@clinic.example\",\"outcome\":\"failed\","
	    "\"detail\":\"550 no such \\\\x1B[31muser\",\"transport\":\"smtp\"}" },
	{ 180 * MINUTE, EV_CONTACT, "{\"subscriber\":\"bank\",\"channel\":\"phone\",\"outcome\":\"no answer\",\"detail\":\"rang out\"}" },
	{ 200 * MINUTE, EV_ANSWER, "{\"subscriber\":\"acme\",\"channel\":\"mail\",\"text\":\"replaced by noon\"}" },
	{ 402 * MINUTE, EV_CONTACT, "{\"subscriber\":\"bank\",\"channel\":\"phone\",\"outcome\":\"no answer\",\"detail\":\"voice box\"}" },
	{ 426 * MINUTE, EV_WARNING, "{\"deadline\":\"answer:clinic\",\"title\":\"answer of clinic\",\"point\":\"late\",\"when\":1788168000000,\"due\":1788168000000}" },
	{ 0, 0, NULL }
};

static int scene_hosts(struct engine *en, int hosts, struct err *e)
{
	static const char *const state_of[] = { "verified", "verified", "verified", "failed", "running", "unreachable",
		"waiting", "rolled back" };
	static const char *const phase_of[] = { "verify", "verify", "verify", "install", "csr", "connect", "", "reload" };
	static const char *const detail_of[] = { "", "", "", "disk full", "", "no answer from 192.0.2.%d in 10 s", "",
		"nginx -t: emerg \033]0;owned\007" };
	json_t *names = json_array(), *rows = json_array();
	char name[64], serial[32], detail[100];
	int part = 0;

	for (int i = 0; i < hosts; i++) {
		snprintf(name, sizeof name, "web%04d.example.com", i + 1);
		json_array_append_new(names, json_string(name));
	}
	clock_pin(FAKE_DECLARED + 51 * MINUTE);
	if (engine_append(en, EV_REISSUE_START, json_pack("{s:s,s:s,s:o}", "plan", "p", "issuer", "issuing3", "hosts",
		names), e) < 0)
		return -1;
	for (int i = 0; i <= hosts * 3 / 4; i++) {
		int k = i % 97 == 3 ? 3 : i % 50 == 4 ? 5 : i % 211 == 7 ? 7 : i > hosts * 7 / 10 ? 4 : 0;
		json_t *o = json_object();
		snprintf(name, sizeof name, "web%04d.example.com", i + 1);
		snprintf(serial, sizeof serial, "%08X", 0x5d0a0000 + i);
		snprintf(detail, sizeof detail, detail_of[k], i % 250);
		json_put(o, "host", name);
		json_put(o, "phase", phase_of[k]);
		json_put(o, "state", state_of[k]);
		json_put(o, "detail", k == 0 ? "new certificate presented" : detail);
		json_put(o, "serial", k == 0 ? serial : "");
		if (k == 0)
			json_put(o, "fingerprint", "c0ffee11ab52d0c3d4e5f60718293a4b5c6d7e8f901a2b3c4d5e6f708192a3b4");
		json_put_num(o, "not_after", k == 0 ? 1806537600000 : 0);
		json_put_num(o, "ms", 400 + i % 1700);
		if (k != 4)
			scene_ended(o, i, k);
		json_array_append_new(rows, o);
		if ((i + 1) % (hosts / 20) != 0)
			continue;
		if (scene_hosts_flush(en, rows, ++part, e) < 0)
			return -1;
		rows = json_array();
	}
	return scene_hosts_flush(en, rows, ++part, e);
}

static int scene_list(struct engine *en, struct err *e)
{
	if (scene_open(en, "INC-2026-0042", "Issuing CA 2: private key stolen", "real", FAKE_DECLARED, e) < 0 ||
	    scene_play(en, middle, e) < 0 || scene_play(en, late, e) < 0)
		return -1;
	engine_close(en);
	if (scene_open(en, "INC-2026-0031", "Mis-issued web certificates", "real", FAKE_DECLARED - 3 * 86400000LL, e) < 0)
		return -1;
	clock_pin(FAKE_DECLARED - 2 * 86400000LL);
	if (engine_append(en, EV_CLOSED, json_pack("{s:s}", "reason", "all replaced"), e) < 0)
		return -1;
	engine_close(en);
	clock_pin(FAKE_DECLARED + 70 * MINUTE);
	return 0;
}

int fake_scene(struct engine *en, const char *scene, struct err *e)
{
	clock_pin(FAKE_DECLARED);
	if (strcmp(scene, "empty") == 0)
		return 0;
	if (strcmp(scene, "list") == 0)
		return scene_list(en, e);
	if (scene_open(en, "INC-2026-0042", "Issuing CA 2: private key stolen", "real", FAKE_DECLARED, e) < 0)
		return -1;
	if (strcmp(scene, "fresh") == 0) {
		clock_pin(FAKE_DECLARED + 90000);
		return 0;
	}
	if (scene_play(en, middle, e) < 0)
		return -1;
	clock_pin(FAKE_DECLARED + 761000);
	if (strcmp(scene, "middle") == 0)
		return 0;
	if (scene_play(en, late, e) < 0)
		return -1;
	clock_pin(FAKE_DECLARED + 62 * MINUTE);
	if (strcmp(scene, "late") == 0)
		return 0;
	if (strcmp(scene, "subscribers") == 0) {
		if (scene_play(en, told, e) < 0)
			return -1;
		clock_pin(FAKE_DECLARED + 430 * MINUTE);
		return 0;
	}
	if (strcmp(scene, "fleet") == 0 || strcmp(scene, "fleet10000") == 0) {
		int rc = scene_hosts(en, strcmp(scene, "fleet") == 0 ? 2000 : 10000, e);
		clock_pin(FAKE_DECLARED + 52 * MINUTE);
		return rc;
	}
	return err_set(e, ERR_USAGE, "no scene \"%s\"", scene);
}

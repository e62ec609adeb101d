/* ssh_config as users have it: resolved by the real ssh, honoured by the SSH child against real servers, a real
 * bastion and a real agent; what cannot be honoured is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "child/jump.h"
#include "child/serve.h"
#include "patience.h"
#include "sshd.h"

static struct sshd server, bastion;

/* This program is its own SSH child and needs no other. */
int ca_child(const json_t *request, json_t **result, struct err *e)
{
	(void)request;
	(void)result;
	return err_set(e, ERR_USAGE, "no CA here");
}

/* A host that is nothing but a name in the folder's ssh_config. */
static json_t *alias(const char *name)
{
	return json_pack("{s:s, s:s, s:o}", "name", name, "address", name, "ssh_config",
	    json_sprintf("%s/ssh_config", scratch_path()));
}

static json_t *run(json_t *host, struct err *e)
{
	return ask_ssh(json_pack("{s:s, s:o, s:s, s:i}", "op", "run", "host", host, "command",
	    "echo \"$SSH_CONNECTION\" | cut -d' ' -f4", "timeout_s", PATIENCE_S), NULL, e);
}

static void reached(json_t *host)
{
	struct err e = { 0 };
	json_t *r = run(host, &e);
	char port[16];

	if (r == NULL)
		fail_msg("%d: %s [%s]", e.code, e.text, e.remedy);
	snprintf(port, sizeof port, "%d\\n", server.port);
	assert_string_equal(json_str(r, "stdout"), port);
	json_decref(r);
}

static void refused(json_t *host, int code, const char *said)
{
	struct err e = { 0 };
	json_t *r = run(host, &e);

	if (r != NULL || e.code != code || strstr(e.text, said) == NULL)
		fail_msg("%s: %d: %s [%s]", r != NULL ? "reached" : "not reached", e.code, e.text, e.remedy);
}

/* An ssh_config of one host, "web", with more directives. */
static void config(const char *more)
{
	FILE *f = fopen("ssh_config", "w");

	assert_non_null(f);
	fprintf(f, "Host web\n  HostName 127.0.0.1\n  Port %d\n  IdentityFile %s/id\n  UserKnownHostsFile /nonexistent %s/known_hosts\n"
	    "  GlobalKnownHostsFile /dev/null\n  SendEnv LANG\n%s\n", server.port, scratch_path(), scratch_path(), more);
	fclose(f);
}

static void test_alias(void **state)
{
	json_t *host;

	(void)state;
	config("");
	reached(alias("web"));
	config("  StrictHostKeyChecking no\n  ServerAliveInterval 5\n  Ciphers aes256-ctr\n  MACs hmac-sha2-256\n"
	       "  KexAlgorithms curve25519-sha256\n  AddressFamily inet");
	reached(alias("web"));
	/* what sev1.conf says wins */
	host = alias("web");
	json_object_set_new(host, "port", json_integer(1));
	refused(host, ERR_IO, "connect to port 1");
	/* the name is a word of its own, never an option */
	refused(alias("-oProxyCommand=touch owned"), ERR_USAGE, "is not a host name");
	sh("[ ! -e owned ]");
}

static void test_named(void **state)
{
	(void)state;
	config("  ProxyCommand nc %h %p");
	refused(alias("web"), ERR_REFUSED, "proxycommand nc %h %p, which would run a shell");
	config("  BindAddress 127.0.0.1");
	refused(alias("web"), ERR_REFUSED, "bindaddress 127.0.0.1");
	config("  KnownHostsCommand /bin/true");
	refused(alias("web"), ERR_REFUSED, "knownhostscommand /bin/true");
	config("  PKCS11Provider /usr/lib/x.so");
	refused(alias("web"), ERR_REFUSED, "pkcs11provider");
	config("  HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com");
	refused(alias("web"), ERR_REFUSED, "host certificates only (HostKeyAlgorithms)");
	config("  HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com,ssh-ed25519");
	reached(alias("web"));
	config("  PreferredAuthentications gssapi-with-mic,publickey");
	reached(alias("web"));
	config("  PreferredAuthentications password,keyboard-interactive");
	refused(alias("web"), ERR_REFUSED, "preferredauthentications password,keyboard-interactive, which leaves out the only way");
	config("  User DOM\\x");
	refused(alias("web"), ERR_REFUSED, "a user name that libssh does not take");
	config("  PubkeyAuthentication no");
	refused(alias("web"), ERR_REFUSED, "pubkeyauthentication");
	config("  AddressFamily inet6");
	refused(alias("web"), ERR_IO, "no address of the family");
	config("  Ciphers 3des-cbc");
	refused(alias("web"), ERR_IO, "setting up SSH");
	config("  NoSuchDirective yes");
	refused(alias("web"), ERR_USAGE, "ssh_config cannot be resolved");
}

static void test_known_hosts(void **state)
{
	char *more = NULL;

	(void)state;
	config("");
	sh("cp known_hosts plain; ssh-keygen -q -H -f known_hosts >/dev/null 2>&1; rm -f known_hosts.old; grep -q '^|1|' known_hosts");
	reached(alias("web"));
	sh("{ printf '@revoked * %%s\\n' \"$(cat hostkey.pub)\"; cat plain; } > known_hosts");
	refused(alias("web"), ERR_REFUSED, "marked @revoked");
	/* a second line of the same host, a wildcard, and one that takes it away again */
	sh("ssh-keygen -q -t ed25519 -N '' -f other; { printf '[127.0.0.1]:%d %%s\\n' \"$(cat other.pub)\"; cat plain; } > known_hosts", server.port);
	reached(alias("web"));
	sh("printf 'x,[127.0.0.*]:%d %%s\\n' \"$(cat hostkey.pub)\" > known_hosts", server.port);
	reached(alias("web"));
	sh("printf '[127.0.0.*]:%d,![127.0.0.1]:%d %%s\\n' \"$(cat hostkey.pub)\" > known_hosts", server.port, server.port);
	refused(alias("web"), ERR_REFUSED, "is not in ");
	/* a line without a port will do for another port, but never speaks against it */
	sh("printf '127.0.0.1 %%s\\n' \"$(cat hostkey.pub)\" > known_hosts");
	reached(alias("web"));
	sh("printf '127.0.0.1 %%s\\n' \"$(cat other.pub)\" > known_hosts");
	refused(alias("web"), ERR_REFUSED, "is not in /nonexistent");
	sh("printf '@cert-authority * %%s\\n' \"$(cat other.pub)\" > known_hosts");
	refused(alias("web"), ERR_REFUSED, "libssh 0.10 cannot check host certificates");
	sh("printf 'fleet-alias %%s\\n' \"$(cat hostkey.pub)\" > known_hosts");
	config("  HostKeyAlias fleet-alias");
	reached(alias("web"));
	sh("cp plain known_hosts; cp hostkey.pub gone");
	assert_true(asprintf(&more, "  RevokedHostKeys %s/gone", scratch_path()) > 0);
	config(more);
	refused(alias("web"), ERR_REFUSED, "RevokedHostKeys");
	sh("cp other.pub gone");
	reached(alias("web"));
	sh("ssh-keygen -q -k -f gone other.pub");
	refused(alias("web"), ERR_REFUSED, "binary revocation list");
	sh("rm gone");
	refused(alias("web"), ERR_REFUSED, "No such file");
	free(more);
}

/* A certificate for a key that authorized_keys does not know. */
static void test_certificate(void **state)
{
	char *more = NULL;

	(void)state;
	config("");
	sh("ssh-keygen -q -t ed25519 -N '' -f fresh; ssh-keygen -q -t ed25519 -N '' -f elsewhere");
	sh("ssh-keygen -q -s userca -I test -n \"$(id -un)\" fresh.pub; mv fresh-cert.pub cert");
	sh("sed -i 's,/id$,/fresh,' ssh_config");
	refused(alias("web"), ERR_REFUSED, "authentication denied");
	assert_true(asprintf(&more, "  CertificateFile %s/cert", scratch_path()) > 0);
	config(more);
	sh("sed -i 's,/id$,/fresh,' ssh_config");
	reached(alias("web"));
	/* one that is not there is none, as ssh has it */
	sh("sed -i 's,CertificateFile .*,CertificateFile /nonexistent,; s,/fresh$,/id,' ssh_config");
	reached(alias("web"));
	/* beside the key it is found without being named */
	config("");
	sh("sed -i 's,/id$,/fresh,' ssh_config; mv cert fresh-cert.pub");
	reached(alias("web"));
	free(more);
}

/* ${NAME} in a path is the environment's, and a key that others can read is not used. */
static void test_paths(void **state)
{
	(void)state;
	config("");
	assert_int_equal(setenv("SEV1_TEST_KEYS", scratch_path(), 1), 0);
	sh("sed -i 's,IdentityFile .*,IdentityFile ${SEV1_TEST_KEYS}/id,; s,/nonexistent.*,${SEV1_TEST_KEYS}/known_hosts,' ssh_config");
	reached(alias("web"));
	sh("sed -i 's,SEV1_TEST_KEYS,SEV1_TEST_UNSET,' ssh_config");
	refused(alias("web"), ERR_USAGE, "env var ${SEV1_TEST_UNSET} has no value");
	assert_int_equal(unsetenv("SEV1_TEST_KEYS"), 0);
	config("");
	sh("cp id id.open; chmod 640 id.open; sed -i 's,/id$,/id.open,' ssh_config");
	refused(alias("web"), ERR_USAGE, "mode 0640 lets others read it");
	sh("sed -i 's,^  SendEnv.*,  IdentityFile '$PWD'/id,' ssh_config");
	reached(alias("web"));
}

/* What only an agent can sign with: IdentityFile names the public half, or the certificate that the agent holds. */
static void test_agent_public(void **state)
{
	(void)state;
	sh("ssh-agent -a public.sock > public.env; export SSH_AUTH_SOCK=public.sock; "
	   "for i in 1 2 3 4; do ssh-keygen -q -t ed25519 -N '' -f noise$i; ssh-add -q noise$i; done; "
	   "ssh-keygen -q -t ed25519 -N '' -f known; cat known.pub >> authorized_keys; ssh-add -q known; rm known; "
	   "ssh-keygen -q -t ed25519 -N '' -f signed; ssh-keygen -q -s userca -I test -n \"$(id -un)\" signed.pub; "
	   "ssh-add -q signed; rm signed; "
	   "ssh-keygen -q -t ed25519 -N '' -f bare; ssh-add -q bare; rm bare; ssh-keygen -q -s userca -I test -n \"$(id -un)\" bare.pub; "
	   "mv bare-cert.pub barecert");
	for (const char *const *p = (const char *const[]){ "known.pub", "known", "signed", NULL }; *p != NULL; p++) {
		config("");
		sh("sed -i \"s,/id$,/%s,\" ssh_config; printf '  IdentityAgent %%s/public.sock\\n' \"$PWD\" >> ssh_config", *p);
		reached(alias("web"));
	}
	config("");
	sh("sed -i \"s,/id$,/bare,\" ssh_config; printf '  IdentityAgent %%s/public.sock\\n  CertificateFile %%s/barecert\\n' \"$PWD\" \"$PWD\" >> ssh_config");
	refused(alias("web"), ERR_REFUSED, "authentication denied");
	sh("kill \"$(sed -n 's/.*SSH_AGENT_PID=\\([0-9]*\\);.*/\\1/p' public.env)\"");
}

/* An agent with more keys than sshd wants to hear of: only the configured one is offered. */
static void test_agent(void **state)
{
	json_t *host;

	(void)state;
	sh("ssh-keygen -q -t ed25519 -N secret -f locked; cat locked.pub >> authorized_keys");
	sh("ssh-agent -a agent.sock > agent.env; export SSH_AUTH_SOCK=agent.sock; for i in 1 2 3 4 5 6 7 8; do "
	   "ssh-keygen -q -t ed25519 -N '' -f many$i; ssh-add -q many$i; done; "
	   "printf '#!/bin/sh\\necho secret\\n' > askpass; chmod +x askpass; "
	   "SSH_ASKPASS=./askpass SSH_ASKPASS_REQUIRE=force ssh-add -q locked");
	config("");
	sh("sed -i \"s,/id$,/locked,\" ssh_config; printf '  IdentityAgent %%s/agent.sock\\n  IdentitiesOnly yes\\n' \"$PWD\" >> ssh_config");
	reached(alias("web"));
	sh("sed -i 's/IdentitiesOnly yes//' ssh_config");
	reached(alias("web"));
	/* the same key, named in sev1.conf */
	assert_int_equal(setenv("SSH_AUTH_SOCK", "agent.sock", 1), 0);
	host = sshd_host(&server);
	json_object_set_new(host, "identity", json_sprintf("%s/locked", scratch_path()));
	reached(host);
	assert_int_equal(unsetenv("SSH_AUTH_SOCK"), 0);
	sh("sed -i 's/IdentityAgent .*/IdentityAgent none/' ssh_config");
	refused(alias("web"), ERR_USAGE, "a passphrase that no agent holds");
	sh("kill \"$(sed -n 's/.*SSH_AGENT_PID=\\([0-9]*\\);.*/\\1/p' agent.env)\"");
}

static void bastion_config(const char *jump)
{
	FILE *f;

	config("");
	f = fopen("ssh_config", "a");
	assert_non_null(f);
	fprintf(f, "  ProxyJump %s\nHost door door2\n  HostName 127.0.0.1\n  Port %d\n  IdentityFile %s/id\n"
	    "  UserKnownHostsFile %s/known_hosts\n", jump, bastion.port, scratch_path(), scratch_path());
	fclose(f);
}

static void test_jump(void **state)
{
	json_t *host;

	(void)state;
	sh("cp plain known_hosts; printf '\\n[127.0.0.1]:%d %%s\\n' \"$(cat hostkey.pub)\" >> known_hosts", bastion.port);
	bastion_config("door");
	reached(alias("web"));
	/* through two, the second reached from the first */
	bastion_config("door,door2");
	reached(alias("web"));
	/* from the inventory, and a ProxyCommand that means the same */
	bastion_config("none");
	host = alias("web");
	json_object_set_new(host, "jump", json_string("door"));
	reached(host);
	bastion_config("none");
	sh("sed -i 's/ProxyJump none/ProxyCommand ssh -q -W %%h:%%p door/' ssh_config");
	reached(alias("web"));
	bastion_config("door,nobody.invalid");
	refused(alias("web"), ERR_IO, "through door,nobody.invalid: ");
	/* a bastion whose key is not known is not trusted, and says so */
	bastion_config("door");
	sh("cp plain known_hosts");
	refused(alias("web"), ERR_REFUSED, "through door: ");
	bastion_config("nobody.invalid");
	refused(alias("web"), ERR_IO, "through nobody.invalid: ");
	host = alias("web");
	json_object_set_new(host, "jump", json_string("-oProxyCommand=touch owned"));
	refused(host, ERR_USAGE, "not a list of bastions");
	sh("[ ! -e owned ]");
	/* and it was really the bastion that led there */
	sshd_stop(&bastion);
	sh("cp known_hosts kept");
	sshd_start(&bastion, "AllowTcpForwarding no");
	sh("cp kept known_hosts; printf '\n[127.0.0.1]:%d %%s\n' \"$(cat hostkey.pub)\" >> known_hosts", bastion.port);
	bastion_config("door");
	refused(alias("web"), ERR_IO, "through door: ");
}

/* A bastion that takes only two at its door, and twelve that come at once. */
static void test_busy_bastion(void **state)
{
	struct sshd narrow;
	pid_t child[12];
	int status;

	(void)state;
	sh("cp known_hosts kept");
	sshd_start(&narrow, "MaxStartups 2:100:2\nMaxSessions 1");
	
	sh("cp plain p; { cat p; printf '\\n[127.0.0.1]:%d %%s\\n' \"$(cat hostkey.pub)\"; } > known_hosts", narrow.port);
	bastion_config("door");
	sh("sed -i 's/Port %d/Port %d/' ssh_config", bastion.port, narrow.port);
	for (size_t i = 0; i < sizeof child / sizeof child[0]; i++)
		if ((child[i] = fork()) == 0) {
			struct err e = { 0 };
			json_t *r = run(alias("web"), &e);
			if (r == NULL)
				fprintf(stderr, "%s\n", e.text);
			_exit(r != NULL ? 0 : 1);
		}
	for (size_t i = 0; i < sizeof child / sizeof child[0]; i++) {
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	sshd_stop(&narrow);
	sh("mv kept known_hosts");
}

static void test_words(void **state)
{
	static const char *const chains[] = { "a", "u@a:22,b", "[2001:db8::1]:2222", "u@[::1]", "2001:db8::1" };
	static const char *const bad[] = { "", "-J", "a,", "a b", "a;b", "u@", "a:0x", "$(id)", "u@-oX", "a:123456" };
	static const struct {
		const char *command, *jump;
	} commands[] = { { "ssh -W %h:%p b", "b" }, { "/usr/bin/ssh -q -W '[%h]:%p' -p 22 -l u b", "u@b:22" },
		{ "ssh -W %h:%p -o StrictHostKeyChecking=no u@b", "u@b" }, { "ssh b nc %h %p", NULL },
		{ "ssh -W %h:%p b; id", NULL }, { "ssh -W other:22 b", NULL }, { "ssh -i key -W %h:%p b", NULL },
		{ "sh -c 'ssh -W %h:%p b'", NULL }, { "ssh -W %h:%p", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++)
		if (!jump_is_chain(chains[i]))
			fail_msg("refused: %s", chains[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (jump_is_chain(bad[i]))
			fail_msg("taken: %s", bad[i]);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		char *jump = jump_of_command(commands[i].command);
		if ((jump == NULL) != (commands[i].jump == NULL) || (jump != NULL && strcmp(jump, commands[i].jump) != 0))
			fail_msg("%s: %s", commands[i].command, jump != NULL ? jump : "nothing");
		free(jump);
	}
}

static int setup(void **state)
{
	char *extra = NULL;

	(void)state;
	sh("ssh-keygen -q -t ed25519 -N '' -f userca");
	assert_true(asprintf(&extra, "TrustedUserCAKeys %s/userca.pub\nMaxAuthTries 3", scratch_path()) > 0);
	sshd_start(&server, extra);
	sh("cp known_hosts plain");
	sshd_start(&bastion, "");
	sh("cp plain known_hosts");
	free(extra);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sshd_stop(&bastion);
	sshd_stop(&server);
	return 0;
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_known_hosts),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_agent_public),
		cmocka_unit_test(test_agent),
		cmocka_unit_test(test_jump),
		cmocka_unit_test(test_busy_bastion),
	};
	int rc;

	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return serve_main(argv[2]);
	scratch_enter((const char *const[]){ "/usr/sbin/sshd", "ssh-keygen", "ssh-agent", "/usr/bin/ssh", NULL });
	rc = cmocka_run_group_tests(tests, setup, teardown);
	scratch_leave();
	return rc;
}

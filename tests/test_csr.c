/* Requests from hosts: only the key is taken, and only a good one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "pki_seam.h"

static json_t *names, *refuse;

static int setup(void **state)
{
	if (pki_folder(state) != 0)
		return -1;
	names = json_pack("[s,s,s,s]", "web01.example.com", "www.example.com", "192.0.2.7", "2001:db8::7");
	refuse = json_array();
	pki_write("req.cnf", "[req]\ndistinguished_name = dn\n[dn]\n");
	pki_must("openssl ecparam -name prime256v1 -genkey -noout -out ec.key");
	return 0;
}

static int drop(void **state)
{
	json_decref(names);
	json_decref(refuse);
	return pki_folder_drop(state);
}

/* openssl req with these arguments; the request's text. */
static char *request(const char *args)
{
	pki_must("openssl req -new -config req.cnf -out x.csr %s", args);
	return pki_read("x.csr");
}

static void reads(const char *pem, char spki[DIGEST_HEX])
{
	struct err e = { 0 };
	X509_REQ *req = csr_read(pem, strlen(pem), names, refuse, spki, &e);

	if (req == NULL)
		print_message("%s\n", e.text);
	assert_non_null(req);
	X509_REQ_free(req);
}

static void accepts(const char *args)
{
	char spki[DIGEST_HEX], *pem = request(args);

	reads(pem, spki);
	free(pem);
}

static void refused_text(const char *pem, size_t len, const char *what)
{
	char spki[DIGEST_HEX];
	struct err e = { 0 };

	assert_null(csr_read(pem, len, names, refuse, spki, &e));
	assert_int_equal(e.code, ERR_REFUSED);
	if (strstr(e.text, what) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(strstr(e.text, what));
	for (const char *p = e.text; *p != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void refuses(const char *args, const char *what)
{
	char *pem = request(args);

	refused_text(pem, strlen(pem), what);
	free(pem);
}

static void test_good(void **state)
{
	(void)state;
	accepts("-key ec.key -subj /CN=web01.example.com");
	accepts("-key ec.key -subj /O=whatever/CN=WEB01.Example.com");
	accepts("-key ec.key -subj /");
	accepts("-key ec.key -subj / -addext 'subjectAltName=DNS:www.example.com,IP:192.0.2.7,IP:2001:db8::7'");
	accepts("-newkey rsa:2048 -nodes -keyout k -subj /CN=web01.example.com");
	accepts("-newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout k -subj /CN=web01.example.com");
	accepts("-newkey ec -pkeyopt ec_paramgen_curve:P-521 -nodes -keyout k -subj /CN=web01.example.com");
	accepts("-newkey ed25519 -nodes -keyout k -subj /CN=web01.example.com");
}

static void test_names(void **state)
{
	(void)state;
	refuses("-key ec.key -subj /CN=web02.example.com", "for another name: \"web02.example.com\"");
	refuses("-key ec.key -subj /CN=web01.example.com/CN=evil.example.com", "\"evil.example.com\"");
	refuses("-key ec.key -subj / -addext subjectAltName=DNS:web01.example.com,DNS:evil.example.com",
	    "\"evil.example.com\"");
	refuses("-key ec.key -subj / -addext 'subjectAltName=DNS:*.example.com'", "\"*.example.com\"");
	refuses("-key ec.key -subj / -addext subjectAltName=IP:192.0.2.8", "\"192.0.2.8\"");
	refuses("-key ec.key -subj / -addext subjectAltName=email:root@example.com", "neither DNS nor IP");
	refuses("-key ec.key -subj / -addext subjectAltName=URI:http://web01.example.com", "neither DNS nor IP");
	refuses("-key ec.key -utf8 -subj \"/CN=$(printf '\\033[2Jweb01.example.com')\"", "\\x1B[2J");
	refuses("-key ec.key -utf8 -subj \"/CN=$(printf 'web01\\342\\200\\256.example.com')\"", "\\u{202E}");
	refuses("-key ec.key -subj /CN=web01.example.com.", "for another name");
}

static void test_keys(void **state)
{
	(void)state;
	refuses("-newkey rsa:1024 -nodes -keyout k -subj /CN=web01.example.com", "RSA of 1024 bits");
	refuses("-newkey rsa:2048 -pkeyopt rsa_keygen_pubexp:3 -nodes -keyout k -subj /CN=web01.example.com", "exponent");
	refuses("-newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -nodes -keyout k -subj /CN=web01.example.com",
	    "curve secp256k1");
	refuses("-newkey ec -pkeyopt ec_paramgen_curve:P-224 -nodes -keyout k -subj /CN=web01.example.com", "weak key");
	pki_must("openssl dsaparam -genkey -noout -out dsa.key 2048");
	refuses("-key dsa.key -subj /CN=web01.example.com", "of this kind");
}

static void test_compromised(void **state)
{
	char spki[DIGEST_HEX], *pem = request("-key ec.key -subj /CN=web01.example.com");

	(void)state;
	reads(pem, spki);
	pki_must("test $(openssl pkey -in ec.key -pubout -outform DER | sha256sum | cut -d' ' -f1) = %s", spki);
	json_array_append_new(refuse, json_pack("{s:s}", "spki", spki));
	refused_text(pem, strlen(pem), "key that is compromised");
	json_array_clear(refuse);
	free(pem);
}

static void test_garbage(void **state)
{
	char *pem = request("-key ec.key -subj /CN=web01.example.com"), *at, *big;
	size_t len = strlen(pem);

	(void)state;
	refused_text("", 0, "not a certificate request");
	refused_text("\033]0;x\007", 6, "not a certificate request");
	refused_text("<html>502 Bad Gateway</html>", 28, "not a certificate request");
	for (size_t n = 0; n + 40 < len; n += 7)
		refused_text(pem, n, "not a certificate request");
	/* one octet of the signature is changed */
	at = strstr(pem, "\n-----END") - 12;
	*at = *at == 'A' ? 'B' : 'A';
	refused_text(pem, len, "");
	free(pem);
	pki_must("cat /dev/zero | tr '\\0' x | head -c 10000000 > big");
	big = pki_read("big");
	refused_text(big, 10000000, "more than any real one");
	free(big);
	/* a certificate, a private key in place of it */
	pem = pki_read("ec.key");
	refused_text(pem, strlen(pem), "not a certificate request");
	free(pem);
}

/* Signed by another key than the one inside: someone else's key cannot be certified. */
static void test_possession(void **state)
{
	struct err e = { 0 };
	EVP_PKEY *theirs = key_make("ec-p256", &e), *mine = key_make("ec-p256", &e);
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long n;

	(void)state;
	assert_int_equal(X509_REQ_set_pubkey(req, theirs), 1);
	assert_true(X509_REQ_sign(req, mine, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_REQ(bio, req), 1);
	n = BIO_get_mem_data(bio, &data);
	refused_text(data, (size_t)n, "not signed by its own key");
	BIO_free(bio);
	X509_REQ_free(req);
	EVP_PKEY_free(theirs);
	EVP_PKEY_free(mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_names), cmocka_unit_test(test_keys),
		cmocka_unit_test(test_compromised), cmocka_unit_test(test_garbage), cmocka_unit_test(test_possession),
	};

	return cmocka_run_group_tests_name("csr", tests, setup, drop);
}

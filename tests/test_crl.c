/* CRLs: the streamed encoder against OpenSSL's own, reading, verifying, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "pki/cert.h"
#include "pki/check.h"
#include "pki/crl_check.h"
#include "pki/crl_file.h"
#include "pki_seam.h"

/* Every form of a serial and of a third field. */
static const char rows_text[] =
    "R\t291231235959Z\t260101000000Z\t01\tunknown\t/CN=a\n"
    "V\t291231235959Z\t\t02\tunknown\t/CN=valid\n"
    "R\t291231235959Z\t260101000000Z,keyCompromise\t7f\tunknown\t/CN=b\n"
    "R\t291231235959Z\t260101000000Z,keyCompromise\t80\tunknown\t/CN=c\n"
    "R\t291231235959Z\t260101000000Z,superseded\t00FF\tunknown\t/CN=d\n"
    "R\t291231235959Z\t260101000000Z,unspecified\t0100\tunknown\t/CN=e\n"
    "R\t20551231235959Z\t20510101000000Z,CACompromise\t7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\tunknown\t/CN=f\n"
    "R\t291231235959Z\t260101000000Z,keyTime,20251224180000Z\taabbccddeeff00112233\tunknown\t/CN=g\n"
    "R\t291231235959Z\t260101000000Z,CAkeyTime,19991224180000Z\tAABBCCDDEEFF00112232\tunknown\t/CN=h\n"
    "R\t291231235959Z\t260101000000Z,holdInstruction,holdInstructionReject\t0BAD\tunknown\t/CN=i\n"
    "R\t291231235959Z\t260101000000Z,certificateHold\t0BAE\tunknown\t/CN=j\n"
    "R\t291231235959Z\t260101000000Z,removeFromCRL\t0BAF\tunknown\t/CN=k\n"
    "R\t291231235959Z\t260101000000Z,affiliationChanged\t00\tunknown\t/CN=zero\n"
    "R\t291231235959Z\t260101000000Z,cessationOfOperation\t-05\tunknown\t/CN=negative\n"
    "R\t291231235959Z\t260101000000Z\t-0080\tunknown\t/CN=negative\n"
    "R\t291231235959Z\t260101000000Z\t-FF01\tunknown\t/CN=negative\n"
    "E\t200101000000Z\t\t03\tunknown\t/CN=expired\n"
    "R\t240101000000Z\t230101000000Z,superseded\t04\tunknown\t/CN=revoked and expired\n";

static ASN1_TIME *asn1_time(int64_t seconds)
{
	return ASN1_TIME_set(NULL, (time_t)seconds);
}

static void add_extension(X509_REVOKED *r, int nid, void *value)
{
	assert_int_equal(X509_REVOKED_add1_ext_i2d(r, nid, value, 0, 0), 1);
}

/* The row as OpenSSL's objects, made here without any of the code under test but the field reader. */
static X509_REVOKED *openssl_revoked(const struct index *x, const struct row *row)
{
	X509_REVOKED *r = X509_REVOKED_new();
	struct revinfo info;
	size_t len;
	const char *p = row_serial(x, row, &len);
	char *serial = mem_strndup(p, len);
	BIGNUM *bn = NULL;
	ASN1_INTEGER *n;
	ASN1_TIME *t;

	p = row_rev(x, row, &len);
	assert_null(revinfo_read(&info, p, len));
	assert_true(BN_hex2bn(&bn, serial) > 0);
	n = BN_to_ASN1_INTEGER(bn, NULL);
	X509_REVOKED_set_serialNumber(r, n);
	t = asn1_time(info.at);
	X509_REVOKED_set_revocationDate(r, t);
	ASN1_TIME_free(t);
	if (info.reason > 0) {
		ASN1_ENUMERATED *v = ASN1_ENUMERATED_new();

		ASN1_ENUMERATED_set(v, info.reason);
		add_extension(r, NID_crl_reason, v);
		ASN1_ENUMERATED_free(v);
	}
	if (info.invalid != INT64_MIN) {
		ASN1_GENERALIZEDTIME *g = ASN1_GENERALIZEDTIME_set(NULL, (time_t)info.invalid);

		add_extension(r, NID_invalidity_date, g);
		ASN1_GENERALIZEDTIME_free(g);
	}
	if (info.hold != NULL) {
		ASN1_OBJECT *o = OBJ_nid2obj(NID_hold_instruction_reject);

		add_extension(r, NID_hold_instruction_code, o);
	}
	ASN1_INTEGER_free(n);
	BN_free(bn);
	free(serial);
	return r;
}

/* The whole tbsCertList by OpenSSL's encoder. */
static int openssl_tbs(const struct opened *o, const struct index *x, int64_t at, int64_t until,
    const char *number, unsigned char **tbs)
{
	X509_CRL *crl = X509_CRL_new();
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
	BIGNUM *bn = NULL;
	ASN1_INTEGER *n;
	ASN1_TIME *t;
	int len;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(o->cert));
	t = asn1_time(at);
	X509_CRL_set1_lastUpdate(crl, t);
	ASN1_TIME_free(t);
	t = asn1_time(until);
	X509_CRL_set1_nextUpdate(crl, t);
	ASN1_TIME_free(t);
	for (size_t i = 0; i < x->rows; i++)
		if (x->row[i].kind == ROW_REVOKED)
			X509_CRL_add0_revoked(crl, openssl_revoked(x, &x->row[i]));
	X509_CRL_sort(crl);
	aki->keyid = ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(o->cert));
	X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0, 0);
	AUTHORITY_KEYID_free(aki);
	BN_hex2bn(&bn, number);
	n = BN_to_ASN1_INTEGER(bn, NULL);
	X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0);
	ASN1_INTEGER_free(n);
	BN_free(bn);
	assert_true(X509_CRL_sign(crl, o->key,
	                EVP_PKEY_is_a(o->key, "ED25519") ? NULL : EVP_sha256()) > 0);
	len = i2d_re_X509_CRL_tbs(crl, tbs);
	X509_CRL_free(crl);
	return len;
}

static void encode(const char *name, const char *text)
{
	char *config = mem_printf("%s/openssl.cnf", name), *index = mem_printf("%s/index.txt", name);
	struct opened o = pki_open(name, config);
	struct err e = { 0 };
	struct crl_view v;
	struct crl crl;
	struct index *x;
	struct sorted *rows;
	unsigned char *tbs = NULL;
	char *pem = mem_printf("%s/x.crl", name);
	size_t n;
	int len;

	pki_write(index, text);
	x = index_load(index, &e);
	rows = index_sorted(x, &n, &e);
	if (rows == NULL || crl_make(o.ca, o.cert, o.key, &(struct listing){ x, rows, n, INT64_MIN, NULL, 0 },
	        &(struct crl_terms){ 1790000000999LL, 1790003600000LL, "0ABC", NULL },
	        &crl, &e) < 0)
		print_message("%s\n", e.text);
	assert_int_equal(e.code, 0);
	assert_int_equal(crl_parse(&v, crl.der, crl.len, &e), 0);
	len = openssl_tbs(&o, x, 1790000000, 1790003600, "0ABC", &tbs);
	assert_int_equal(der_len(&v.tbs), len);
	assert_memory_equal(v.tbs.p, tbs, (size_t)len);
	assert_int_equal(crl_verify(&v, o.cert, &e), 0);
	assert_true(crl_issuer_is(&v, o.cert));
	if (crl_compare(&v, &(struct listing){ x, rows, n, INT64_MIN, NULL, 0 }, &e) < 0)
		print_message("%s\n", e.text);
	assert_int_equal(e.code, 0);
	assert_string_equal(v.number, "0ABC");
	assert_int_equal(v.count, crl.entries);
	/* and openssl reads and verifies the whole */
	assert_int_equal(fs_write(pem, crl.der, crl.len, 0644, &e), 0);
	pki_must("openssl crl -inform DER -in %s -noout -verify -CAfile %s/ca.crt", pem, name);
	OPENSSL_free(tbs);
	crl_clear(&crl);
	free(rows);
	index_free(x);
	pki_close(&o);
	free(config);
	free(index);
	free(pem);
}

static void test_encoder(void **state)
{
	struct buf b = { 0 };

	(void)state;
	pki_openssl("ec", "ec", 0);
	pki_openssl("rsa", "rsa", 0);
	pki_openssl("ed", "ed25519", 0);
	encode("ec", rows_text);
	encode("rsa", rows_text);
	encode("ed", rows_text);
	encode("ec", "");
	encode("ec", "V\t291231235959Z\t\t02\tunknown\t/CN=valid\n");
	/* lengths around the steps of DER's length octets */
	for (int n = 1; n < 6000; n += n < 10 ? 1 : n < 300 ? 37 : 1111) {
		buf_clear(&b);
		for (int i = 0; i < n; i++)
			buf_addf(&b, "R\t291231235959Z\t260101000000Z%s\t%08X\tunknown\t/CN=%d\n",
			    i % 3 == 0 ? ",superseded" : i % 3 == 1 ? "" : ",keyTime,20251224180000Z", (unsigned)i * 2654435761u, i);
		encode("ec", buf_str(&b));
	}
	buf_free(&b);
}

static void test_distribution(void **state)
{
	struct opened o;
	struct crl_file f;
	struct err e = { 0 };
	struct index *x;
	struct sorted *rows;
	size_t n;

	(void)state;
	pki_openssl("idp", "ec", 0);
	pki_must("printf '[crl]\\nissuingDistributionPoint = critical,@idp\\n[idp]\\n"
	         "fullname = URI:http://crl.example.com/idp.crl\\n' >> idp/openssl.cnf; "
	         "sed -i 's/^policy = pol/policy = pol\\ncrl_extensions = crl/' idp/openssl.cnf");
	o = pki_open("idp", "idp/openssl.cnf");
	x = index_load("idp/index.txt", &e);
	rows = index_sorted(x, &n, &e);
	assert_int_equal(crl_file_make(o.ca, o.cert, o.key, &(struct listing){ x, rows, n, INT64_MIN, NULL, 0 }, "idp", (int64_t)time(NULL) * 1000, 1,
	                     NULL, &f, &e), 0);
	pki_must("openssl crl -inform DER -in %s -noout -text | grep -A3 'Issuing Distribution Point: critical' | "
	         "grep http://crl.example.com/idp.crl", f.der);
	crl_file_clear(&f);
	free(rows);
	index_free(x);
	pki_close(&o);
}

static int make(struct opened *o, const char *folder, struct crl_file *f, struct err *e)
{
	struct index *x = index_load(o->ca->database, e);
	size_t n;
	struct sorted *rows = index_sorted(x, &n, e);
	int rc = crl_file_make(o->ca, o->cert, o->key, &(struct listing){ x, rows, n, INT64_MIN, NULL, 0 }, folder, (int64_t)time(NULL) * 1000, 24, NULL,
	    f, e);

	free(rows);
	index_free(x);
	return rc;
}

/* All that crl_extensions asks for stands on the CRL, as openssl ca writes it, and is no fault of it. */
static void test_extensions(void **state)
{
	static const struct {
		const char *section;
		bool good;
	} ext[] = {
		{ "issuerAltName = URI:http://ca.example.com/", true },
		{ "authorityInfoAccess = @info\n[info]\ncaIssuers;URI.0 = http://ca.example.com/ca.cer", true },
		{ "1.3.6.1.4.1.311.21.1 = ASN1:INTEGER:0", true },
		{ "issuingDistributionPoint = critical,@idp\n[idp]\nonlyuser = TRUE", true },
		{ "", true },
		{ "issuingDistributionPoint = critical,@idp\n[idp]\nindirectCRL = TRUE", false },
		{ "issuingDistributionPoint = critical,@idp\n[idp]\nonlysomereasons = superseded", false },
	};
	int64_t now = (int64_t)time(NULL) * 1000;
	struct crl_file f;
	struct opened o;
	struct err e = { 0 };
	json_t *found;

	(void)state;
	pki_openssl("exts", "ec", 0);
	pki_must("sed -i 's/^policy = pol/policy = pol\\ncrl_extensions = crl/' exts/openssl.cnf; cp exts/openssl.cnf exts/plain.cnf");
	for (size_t i = 0; i < sizeof ext / sizeof ext[0]; i++) {
		pki_must("cat exts/plain.cnf - > exts/openssl.cnf <<'E'\n[crl]\nauthorityKeyIdentifier = keyid:always\n%s\nE", ext[i].section);
		o = pki_open("exts", "exts/openssl.cnf");
		assert_int_equal(crl_check_configured(o.ca, o.cert, &e), 0);
		assert_int_equal(crl_rehearse(o.ca, o.cert, o.key, "01", now, 24, &e), ext[i].good ? 0 : ERR_REFUSED);
		if (ext[i].good) {
			assert_int_equal(make(&o, "exts", &f, &e), 0);
			found = check_crl(f.der, o.ca, now, &e);
			assert_int_equal(json_array_size(json_list(found, "problems")), 0);
			json_decref(found);
			pki_must("openssl ca -gencrl -config exts/openssl.cnf -out exts/x.pem; "
			         "exts() { openssl crl -in $1 -noout -text | sed -n '/CRL extensions/,/Revoked/p' | grep -v '^ *[0-9]*$' | sort; }; "
			         "exts exts/x.pem > exts/a; exts %s > exts/b; diff exts/a exts/b", f.pem);
			crl_file_clear(&f);
		} else {
			assert_non_null(strstr(e.text, "would not be published"));
			assert_non_null(strstr(e.remedy, "exts/openssl.cnf"));
			e = (struct err){ 0 };
		}
		pki_close(&o);
	}
}

static void number_fails(struct opened *o, const char *text, const char *what)
{
	struct crl_file f;
	struct err e = { 0 };
	char *before;

	pki_write("num/crlnumber", text);
	assert_true(make(o, "num", &f, &e) < 0);
	if (strstr(e.text, what) == NULL)
		print_message("%s\n", e.text);
	assert_non_null(strstr(e.text, what));
	assert_non_null(strstr(e.text, "num/crlnumber"));
	assert_true(e.remedy[0] != '\0');
	before = pki_read("num/crlnumber");
	assert_string_equal(before, text);
	free(before);
	crl_file_clear(&f);
}

static void test_numbers(void **state)
{
	struct opened o;
	struct crl_file f;
	struct err e = { 0 };
	char *text;

	(void)state;
	pki_openssl("num", "ec", 1);
	o = pki_open("num", "num/openssl.cnf");
	pki_write("num/crlnumber", "0f\n");
	assert_int_equal(make(&o, "num", &f, &e), 0);
	assert_string_equal(f.number, "0F");
	text = pki_read("num/crlnumber");
	assert_string_equal(text, "10\n");
	free(text);
	pki_must("openssl crl -in %s -noout -verify -CAfile num/ca.crt", f.pem);
	pki_must("openssl crl -in %s -outform DER -out num/der; cmp num/der %s", f.pem, f.der);
	crl_file_clear(&f);
	/* openssl goes on with the number that was left */
	pki_must("openssl ca -gencrl -config num/openssl.cnf -out num/x.pem");
	pki_must("openssl crl -in num/x.pem -noout -crlnumber | grep -i 0x10");
	number_fails(&o, "garbage\n", "\"garbage\" is not a CRL number");
	number_fails(&o, "", "is not a CRL number");
	number_fails(&o, "\033[2J\n", "is not a CRL number");
	number_fails(&o, "-01\n", "is not a CRL number");
	number_fails(&o, "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\n", "is longer than 20 octets");
	number_fails(&o, "0F\n", "CRL 0F has been made already");
	number_fails(&o, "05\n", "CRL 0F has been made already");
	pki_must("rm num/crlnumber");
	assert_int_equal(make(&o, "num", &f, &e), ERR_IO);
	assert_non_null(strstr(e.text, "crlnumber"));
	assert_true(e.remedy[0] != '\0');
	pki_close(&o);
}

static void problem_is(const char *path, const struct ca *ca, const char *what)
{
	struct err e = { 0 };
	json_t *o = check_crl(path, ca, (int64_t)time(NULL) * 1000, &e);
	const json_t *v;
	bool found = false;
	size_t i;

	if (o == NULL) {
		found = strstr(e.text, what) != NULL;
		if (!found)
			print_message("%s\n", e.text);
	}
	json_array_foreach(json_list(o, "problems"), i, v)
		found = found || strstr(json_string_value(v), what) != NULL;
	if (!found)
		print_message("%s: no problem \"%s\"\n", path, what);
	assert_true(found);
	json_decref(o);
}

static void test_inspect(void **state)
{
	struct opened o, p;
	struct crl_file f;
	struct err e = { 0 };
	json_t *found;
	char *data;

	(void)state;
	pki_openssl("ins", "ec", 3);
	pki_openssl("else", "ec", 0);
	o = pki_open("ins", "ins/openssl.cnf");
	p = pki_open("else", "else/openssl.cnf");
	pki_must("openssl ca -config ins/openssl.cnf -revoke ins/newcerts/1001.pem -crl_reason superseded");
	assert_int_equal(make(&o, "ins", &f, &e), 0);
	pki_must("openssl crl -in %s -text > ins/text; sed 's/$/\\r/' %s > ins/crlf; cat ins/ca.crt %s > ins/bundle", f.pem, f.pem, f.pem);
	for (int i = 0; i < 5; i++) {
		const char *const form[] = { f.der, f.pem, "ins/text", "ins/crlf", "ins/bundle" };

		found = check_crl(form[i], o.ca, (int64_t)time(NULL) * 1000, &e);
		assert_non_null(found);
		assert_int_equal(json_array_size(json_list(found, "problems")), 0);
		assert_true(json_bool(found, "signature_ok"));
		assert_true(json_bool(found, "issuer_ok"));
		assert_int_equal(json_num(found, "entries", 0), 1);
		assert_string_equal(json_str(found, "sha256"), f.sha256);
		json_decref(found);
	}
	problem_is(f.der, p.ca, "another issuer");
	problem_is(f.der, p.ca, "signature");
	/* openssl's own CRL of the same index */
	pki_must("openssl ca -gencrl -config ins/openssl.cnf -crlhours 1 -out ins/own.pem");
	found = check_crl("ins/own.pem", o.ca, (int64_t)time(NULL) * 1000, &e);
	assert_true(json_bool(found, "signature_ok"));
	assert_int_equal(json_array_size(json_list(found, "problems")), 1); /* without AKI here */
	json_decref(found);
	problem_is("ins/own.pem", o.ca, "authority key identifier");
	/* one more is revoked: the CRL is not the index any more */
	pki_must("openssl ca -config ins/openssl.cnf -revoke ins/newcerts/1002.pem");
	problem_is(f.der, o.ca, "lacks certificates");
	/* every octet that is cut off, many that are changed: never a crash, never without a problem */
	data = pki_read(f.der);
	for (size_t n = 0; n < (size_t)f.octets; n += 3) {
		assert_int_equal(fs_write("ins/cut", data, n, 0644, &e), 0);
		found = check_crl("ins/cut", o.ca, (int64_t)time(NULL) * 1000, &e);
		assert_true(json_array_size(json_list(found, "problems")) > 0);
		json_decref(found);
	}
	for (size_t n = 0; n < (size_t)f.octets; n++) {
		data[n] = (char)(data[n] ^ 0x11);
		assert_int_equal(fs_write("ins/cut", data, (size_t)f.octets, 0644, &e), 0);
		found = check_crl("ins/cut", o.ca, (int64_t)time(NULL) * 1000, &e);
		assert_true(json_array_size(json_list(found, "problems")) > 0);
		json_decref(found);
		data[n] = (char)(data[n] ^ 0x11);
	}
	free(data);
	crl_file_clear(&f);
	pki_close(&o);
	pki_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoder), cmocka_unit_test(test_distribution), cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_inspect),
	};

	return cmocka_run_group_tests_name("crl", tests, pki_folder, pki_folder_drop);
}

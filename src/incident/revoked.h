/* What is revoked, the CRLs that say so, and the points that serve them. */
#ifndef SEV1_REVOKED_H
#define SEV1_REVOKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct incident;

struct ca_scope {
	char *ca;
	int64_t valid, expired, revoked, unreadable, selected;
	char *manifest;
	json_t *reasons; /* {reason: certificates selected}; NULL in journals of before */
};

struct own_cert { /* a CA certificate that is to be revoked at its issuer */
	char *ca, *issuer, *serial, *subject;
};

struct crl_made {
	char *ca, *part, *number, *sha256, *der, *pem, *signature;
	int64_t entries, octets, this_update, next_update, at;
	bool revoke, renewed;
};

struct ladder { /* CRLs that were signed ahead, the last of each CA */
	char *ca, *detail;
	json_t *rungs;  /* see EV_LADDER */
	bool stale;     /* no rung of it may be published; detail says why */
};

struct renewing { /* tries to renew a CA's CRL since it was last signed */
	char *ca, *detail;
	bool failed;    /* the last try did, with this detail */
	int tries;
	int64_t at;     /* when the last one began */
};

struct revocation {
	char *ca, *plan, *manifest, *backup, *detail;
	int64_t stamp;           /* ms: the revocation date that is written */
	int64_t planned, revoked;
	/* undoing: that was begun and has not ended; undone: as if it had not been */
	enum { REVOKE_STARTED, REVOKE_DONE, REVOKE_FAILED, REVOKE_UNDOING, REVOKE_UNDONE } state;
	int64_t at;              /* ms: when it was last begun */
	int64_t published;       /* ms: when every point first served a CRL of it; 0 not yet */
	char *offered;           /* the first point that a CRL of it was begun to be put on; "" none */
	struct crl_made before;  /* the CA's CRL before it; .ca NULL where there was none */
};

enum point_state { POINT_NONE, POINT_STARTED, POINT_PLACED, POINT_VERIFIED, POINT_FAILED };

struct point {
	char *ca, *point, *part, *url, *sha256, *detail;
	enum point_state state;
	int attempt;
	int64_t at, until; /* until: nextUpdate of the CRL that it was last seen to serve; 0 none */
};

const struct crl_made *incident_crl(const struct incident *in, const char *ca);   /* the whole CA's; NULL */
const struct crl_made *incident_crl_part(const struct incident *in, const char *ca, const char *part); /* NULL */
const struct ladder *incident_ladder(const struct incident *in, const char *ca);  /* NULL */
const struct renewing *incident_renewing(const struct incident *in, const char *ca); /* NULL */
const struct revocation *incident_revocation(const struct incident *in, const char *ca);
const struct point *incident_point(const struct incident *in, const char *ca, const char *point);
/* When the last rung of the ladder that ends first expires, ms; INT64_MIN without one that can be used. */
int64_t incident_ladder_end(const struct incident *in);
/* Does every distribution point of the CA serve its CRL of this revocation? */
bool incident_published_of(const struct incident *in, const char *ca);

#endif

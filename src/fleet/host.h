/* One host on its way to a new certificate: what it reached, and who must be asked next. Pure: no I/O,
 * time is an argument. */
#ifndef SEV1_HOST_H
#define SEV1_HOST_H

#include <stdbool.h>
#include <stdint.h>

enum host_phase {
	HOST_CONNECT, HOST_CSR, HOST_ISSUE, HOST_INSTALL, HOST_TEST, HOST_RELOAD, HOST_VERIFY, HOST_ROLLBACK
};

enum host_state {
	HOST_WAITING, HOST_RUNNING, HOST_VERIFIED, HOST_FAILED, HOST_ROLLED_BACK, HOST_UNREACHABLE,
	HOST_REFUSED, HOST_SKIPPED, HOST_STATES
};

enum host_event {
	HOST_EV_ORDER,    /* an SSH child takes it */
	HOST_EV_PHASE,    /* text: the phase that the SSH child entered */
	HOST_EV_CSR,      /* its request is here */
	HOST_EV_ISSUED,   /* the CA issued */
	HOST_EV_REFUSED,  /* the CA refused, text says why */
	HOST_EV_INSTALLED,/* installed, tested, reloaded */
	HOST_EV_SEEN,     /* a handshake presented the new certificate */
	HOST_EV_UNSEEN,   /* it did not; text says what was seen */
	HOST_EV_ENDED,    /* the SSH child's last word: state, text */
	HOST_EV_LOST      /* the SSH child died or overran the deadline, text says so */
};

/* Who must be asked next. */
enum host_ask {
	ASK_NOTHING,
	ASK_ISSUE,   /* the CA: a certificate for its request */
	ASK_INSTALL, /* the SSH child: install what was issued */
	ASK_STOP,    /* the SSH child: give up, detail says why */
	ASK_PROBE,   /* the probe: a handshake, host_probe_delay from now */
	ASK_VERDICT, /* the SSH child: keep it (seen), or put the old one back */
	ASK_END      /* nobody: it is done, the SSH child is free */
};

/* Handshakes until the old certificate is put back: a reload takes its time. */
#define HOST_PROBES 9

struct host {
	char *name;
	enum host_phase phase;
	enum host_state state;
	char *detail;          /* never NULL */
	bool issued, seen;
	int probes;            /* handshakes that did not show it */
	int64_t started, ms;   /* the clock's ms when it was ordered; what it took in the end */
	int64_t until;         /* when the verdict must be out; 0: no such moment */
};

void host_init(struct host *h, const char *name);
void host_clear(struct host *h);

/* Something happened. text may be NULL; state is of HOST_EV_ENDED only. An event that does not fit where
 * the host stands changes nothing. */
enum host_ask host_step(struct host *h, enum host_event ev, const char *text, enum host_state state,
    int64_t now);
/* The operator leaves it out: false where it does not wait any more. */
bool host_skip(struct host *h, const char *why);
/* ms until the next handshake should be tried: 0 for the first, then doubling up to 1600. */
int host_probe_delay(const struct host *h);

/* The words that the journal and the screens use: "connect", "rolled back". Untranslated. */
const char *host_phase_name(enum host_phase phase);
const char *host_state_name(enum host_state state);
/* The state of a word; HOST_FAILED for one that is none. */
enum host_state host_state_of(const char *word);

/* pattern with %h replaced by name and %% by %; owned by the caller; NULL gives NULL. */
char *host_expand(const char *pattern, const char *name);

#endif

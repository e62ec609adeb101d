#include "incident/event.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[EV_KINDS] = {
	[EV_OPENED] = "incident.opened",
	[EV_SESSION] = "session.started",
	[EV_ARMED] = "armed",
	[EV_NOTE] = "note",
	[EV_TRIAGE] = "triage.answered",
	[EV_SCOPE] = "scope.frozen",
	[EV_PLAN] = "plan.made",
	[EV_CONFIRMED] = "plan.confirmed",
	[EV_REFUSED] = "plan.refused",
	[EV_ACTION_START] = "action.started",
	[EV_ACTION_END] = "action.ended",
	[EV_REVOKE_START] = "revocation.started",
	[EV_REVOKE_END] = "revocation.ended",
	[EV_CRL] = "crl.signed",
	[EV_UNDO_START] = "undo.started",
	[EV_UNDO_END] = "undo.ended",
	[EV_POINT_START] = "publication.started",
	[EV_POINT] = "publication.point",
	[EV_NOTICE_START] = "notice.started",
	[EV_NOTICE] = "notice.sent",
	[EV_CHECKPOINT] = "checkpoint.by-hand",
	[EV_CEREMONY] = "ceremony.step",
	[EV_ISSUER] = "issuer.chosen",
	[EV_REISSUE_START] = "reissue.started",
	[EV_WAVE] = "reissue.wave",
	[EV_STEER] = "reissue.steered",
	[EV_HOST] = "reissue.hosts",
	[EV_REISSUE_END] = "reissue.ended",
	[EV_FOLLOWUP] = "followup",
	[EV_REPORT] = "report.written",
	[EV_CLOSED] = "incident.closed",
	[EV_RENEWAL] = "crl.standing-order",
	[EV_RENEW] = "crl.renewal",
	[EV_LADDER] = "crl.ladder",
	[EV_ARI] = "ari",
	[EV_REPLACED] = "replacement.counted",
	[EV_FIELD] = "report.field",
	[EV_ITEM] = "action.item",
	[EV_APPENDIX] = "report.appendix",
	[EV_WARNING] = "deadline.warning",
	[EV_ROSTER] = "subscribers.found",
	[EV_CONTACT] = "subscriber.contact",
	[EV_ANSWER] = "subscriber.answer",
	[EV_PROCEED] = "subscribers.proceed",
};

const char *event_name(enum event_kind kind)
{
	return names[kind];
}

int event_kind_of(const char *name)
{
	for (int i = 0; i < EV_KINDS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

void event_clear(struct event *ev)
{
	free(ev->actor);
	json_decref(ev->body);
	ev->actor = NULL;
	ev->body = NULL;
}

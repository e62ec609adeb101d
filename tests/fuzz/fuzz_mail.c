/* Any octets as a mail: read, receipt, what it carries and says, what is kept. For libFuzzer; see tests/fuzz/mail.sh. */
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "comms/mail.h"
#include "comms/receipt.h"
#include "comms/recognise.h"

#define NOW_MS 1790000000000LL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mail *m = mail_read((const char *)data, len);
	struct recognised *r = recognise(m, NULL, 0);
	json_t *hops = json_array();
	char *text = recognise_text(m, 65536), *why = json_dumps(r->why, JSON_COMPACT);

	/* what is written into a report must be text that JSON takes */
	if (why == NULL || receipt_of(m, NULL, 0, INT64_MIN, NOW_MS, hops) > NOW_MS + 5 * 60 * 1000LL)
		abort();
	free(why);
	free(text);
	json_decref(hops);
	recognised_free(r);
	mail_free(m);
	return 0;
}

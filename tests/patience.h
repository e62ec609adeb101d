/* How long tests wait. A machine that has much else to do, and a sanitizer, make everything ten times slower now and then:
 * what must come is waited for far longer than it takes, and an end that came too early or too late is told by many
 * seconds. */
#ifndef SEV1_TESTS_PATIENCE_H
#define SEV1_TESTS_PATIENCE_H

/* What must come: for this many seconds. */
#define PATIENCE_S 120
#define PATIENCE_MS (PATIENCE_S * 1000)

/* What a deadline of a second or three ends has ended after this; what else would end it comes after twice this time, or
 * never. */
#define SOON_MS 15000

#endif

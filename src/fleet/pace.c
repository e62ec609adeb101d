#include "fleet/pace.h"

void pace_begin(struct pace *p, int64_t now)
{
	*p = (struct pace){ .began = now / 1000, .last = now / 1000 };
}

void pace_add(struct pace *p, int64_t now)
{
	int64_t second = now / 1000;

	/* what lies between holds seconds of a round before */
	for (int64_t s = p->last + 1; s <= second && s <= p->last + PACE_S; s++)
		p->count[s % PACE_S] = 0;
	p->last = second;
	p->count[second % PACE_S]++;
}

double pace_rate(const struct pace *p, int64_t now)
{
	int64_t second = now / 1000, from = second - PACE_S + 1, sum = 0;

	if (from < p->began)
		from = p->began;
	for (int64_t s = from; s <= p->last && s <= second; s++)
		sum += p->count[s % PACE_S];
	return second > p->began ? (double)sum / (double)(second - from + 1) : 0;
}

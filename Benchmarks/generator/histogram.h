// Counts of latencies with three significant digits (histogram.c), alike in histogram.py.
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { HALF_BITS = 10, HALF = 1 << HALF_BITS, SLOTS = 28 * HALF };

struct histogram {
    uint64_t count, largest, counts[SLOTS];
};

// The slot of a value, and the largest value that falls into a slot.
int slot_of(uint64_t value);
uint64_t top_of(int slot);

void histogram_add(struct histogram *h, uint64_t value);

// The smallest recorded value, up to the precision, that at least this share of all does not exceed.
uint64_t histogram_quantile(const struct histogram *h, double share);

// {"count":…,"largest":…,"slots":[[slot,count],…]}
void histogram_print(const struct histogram *h, FILE *to);

#endif

// A histogram of high dynamic range: whole numbers, here microseconds, at constant relative precision.
//
// Values below 2048 have a slot each. Above, each doubling is cut into 1024 slots, so a slot is never wider than a
// thousandth of what it holds; the last one takes everything from 2^37 up, which is 38 hours. Adding is a shift and an
// increment, and two histograms are merged by adding their slots: quantiles are never averaged.
#include "histogram.h"

int slot_of(uint64_t value) {
    if (value < 2 * HALF)
        return (int)value;
    int shift = 63 - __builtin_clzll(value) - HALF_BITS;
    int slot = shift * HALF + (int)(value >> shift);
    return slot < SLOTS ? slot : SLOTS - 1;
}

uint64_t top_of(int slot) {
    if (slot < 2 * HALF)
        return (uint64_t)slot;
    int shift = slot / HALF - 1;
    return ((uint64_t)(slot - shift * HALF + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value) {
    h->counts[slot_of(value)]++;
    h->count++;
    if (value > h->largest)
        h->largest = value;
}

uint64_t histogram_quantile(const struct histogram *h, double share) {
    uint64_t wanted = (uint64_t)(share * (double)h->count + 0.999999), seen = 0;
    if (wanted == 0)
        wanted = 1;
    for (int slot = 0; slot < SLOTS; slot++) {
        seen += h->counts[slot];
        if (seen >= wanted) {
            uint64_t top = top_of(slot);
            return top < h->largest ? top : h->largest;
        }
    }
    return h->largest;
}

void histogram_print(const struct histogram *h, FILE *to) {
    const char *between = "";
    fprintf(to, "{\"count\":%llu,\"largest\":%llu,\"slots\":[", (unsigned long long)h->count,
            (unsigned long long)h->largest);
    for (int slot = 0; slot < SLOTS; slot++) {
        if (!h->counts[slot])
            continue;
        fprintf(to, "%s[%d,%llu]", between, slot, (unsigned long long)h->counts[slot]);
        between = ",";
    }
    fputs("]}", to);
}

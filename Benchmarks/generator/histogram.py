"""The histogram of histogram.c, to merge repetitions and to take quantiles of what the sender printed."""

HALF_BITS = 10
HALF = 1 << HALF_BITS
SLOTS = 28 * HALF


def slot_of(value):
    """The slot of a whole number: one for each below 2048, above it 1024 for each doubling."""
    if value < 2 * HALF:
        return value
    shift = value.bit_length() - 1 - HALF_BITS
    return min(shift * HALF + (value >> shift), SLOTS - 1)


def top_of(slot):
    """The largest number that falls into a slot."""
    if slot < 2 * HALF:
        return slot
    shift = slot // HALF - 1
    return ((slot - shift * HALF + 1) << shift) - 1


class Histogram:
    """Counts of whole numbers with three significant digits."""

    def __init__(self):
        self.slots, self.count, self.largest = {}, 0, 0

    @staticmethod
    def of_sender(printed):
        """What histogram.c printed."""
        found = Histogram()
        found.slots = {slot: count for slot, count in printed["slots"]}
        found.count, found.largest = printed["count"], printed["largest"]
        return found

    def add(self, value, count=1):
        slot = slot_of(value)
        self.slots[slot] = self.slots.get(slot, 0) + count
        self.count += count
        self.largest = max(self.largest, value)

    def merge(self, other):
        for slot, count in other.slots.items():
            self.slots[slot] = self.slots.get(slot, 0) + count
        self.count += other.count
        self.largest = max(self.largest, other.largest)
        return self

    def quantile(self, share):
        """The smallest recorded number, up to the precision, that at least this share does not exceed."""
        wanted, seen = max(1, int(share * self.count + 0.999999)), 0
        for slot in sorted(self.slots):
            seen += self.slots[slot]
            if seen >= wanted:
                return min(top_of(slot), self.largest)
        return self.largest

    def milliseconds(self):
        """The quantiles of a report, from microseconds; unknown when nothing was counted."""
        if not self.count:
            return dict.fromkeys(("p50", "p90", "p99", "p99.9", "max"))
        shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999}
        return {**{name: self.quantile(share) / 1000 for name, share in shares.items()}, "max": self.largest / 1000}

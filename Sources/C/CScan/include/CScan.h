#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

// Searches in JSON text, for Swift's `JSONScan`. They are C because Swift has no way to ask a vector which of its lanes
// differ; sixteen bytes are looked at together, or eight where there is no SSE2.

/// Whether a byte ends plain text: a quote, a backslash, a control character or one beyond ASCII.
static inline int cairn_ends_plain_text(uint8_t byte) {
    return byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x80;
}

/// The high bit of each zero byte of a word; those above a zero byte may be marked wrongly, the lowest mark is right.
static inline uint64_t cairn_zero_bytes(uint64_t word) { return (word - 0x0101010101010101u) & ~word; }

/// Eight bytes, the first one lowest.
static inline uint64_t cairn_word(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/// Index of the first byte from `index` on that ends plain text; `count`, which is the end, if there is none.
static inline size_t cairn_end_of_plain_text(const uint8_t *bytes, size_t index, size_t count) {
#ifdef __SSE2__
    for (; index + 16 <= count; index += 16) {
        __m128i text = _mm_loadu_si128((const __m128i *)(bytes + index));
        __m128i quotes = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
        __m128i backslashes = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
        // Signed: bytes from 0x80 on are less than all others.
        __m128i others = _mm_cmplt_epi8(text, _mm_set1_epi8(0x20));
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), others));
        if (found)
            return index + (size_t)__builtin_ctz(found);
    }
#endif
    for (; index + 8 <= count; index += 8) {
        uint64_t word = cairn_word(bytes + index);
        uint64_t controls = (word - 0x2020202020202020u) & ~word;
        uint64_t ends = cairn_zero_bytes(word ^ 0x2222222222222222u) | cairn_zero_bytes(word ^ 0x5c5c5c5c5c5c5c5cu);
        uint64_t found = (ends | controls | word) & 0x8080808080808080u;
        if (found)
            return index + (size_t)__builtin_ctzll(found) / 8;
    }
    while (index < count && !cairn_ends_plain_text(bytes[index]))
        index++;
    return index;
}

/// Index of the first quote or backslash from `index` on; `count`, which is the end, if there is none.
static inline size_t cairn_quote_or_backslash(const uint8_t *bytes, size_t index, size_t count) {
#ifdef __SSE2__
    for (; index + 16 <= count; index += 16) {
        __m128i text = _mm_loadu_si128((const __m128i *)(bytes + index));
        __m128i quotes = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
        __m128i backslashes = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_or_si128(quotes, backslashes));
        if (found)
            return index + (size_t)__builtin_ctz(found);
    }
#endif
    for (; index + 8 <= count; index += 8) {
        uint64_t word = cairn_word(bytes + index);
        uint64_t found = cairn_zero_bytes(word ^ 0x2222222222222222u) | cairn_zero_bytes(word ^ 0x5c5c5c5c5c5c5c5cu);
        found &= 0x8080808080808080u;
        if (found)
            return index + (size_t)__builtin_ctzll(found) / 8;
    }
    while (index < count && bytes[index] != '"' && bytes[index] != '\\')
        index++;
    return index;
}

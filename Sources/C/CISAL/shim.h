#pragma once

#include <isa-l/igzip_lib.h>
#include <string.h>

/// Makes ready for one gzip member: its header is read, its checksum and its length are compared.
///
/// All of the window is zeroed, so that no input can make it give out what the memory held before.
static inline void cairn_inflate_begin(struct inflate_state *state) {
    memset(state, 0, sizeof *state);
    isal_inflate_init(state);
    state->crc_flag = ISAL_GZIP;
}

/// What one call did.
struct cairn_inflated {
    /// 0, or the library's number of what is wrong with the input.
    int status;
    /// Whether the member ended, its checksum being right.
    int ended;
    /// Bytes of the input that belong to what was read so far.
    size_t taken;
    /// Bytes written to the output.
    size_t made;
};

/// Inflates as much of `input` as there is room for in `output`.
static inline struct cairn_inflated cairn_inflate(struct inflate_state *state, const uint8_t *input, size_t input_count,
                                                  uint8_t *output, size_t output_count) {
    // The library takes 32-bit counts; whoever has more calls again.
    uint32_t most = UINT32_MAX / 2;
    state->next_in = (uint8_t *)input;
    state->avail_in = input_count < most ? (uint32_t)input_count : most;
    state->next_out = output;
    state->avail_out = output_count < most ? (uint32_t)output_count : most;
    int status = isal_inflate(state);
    struct cairn_inflated result = {status, state->block_state == ISAL_BLOCK_FINISH, (size_t)(state->next_in - input),
                                    (size_t)(state->next_out - output)};
    if (result.ended) {
        // Whole bytes that were read ahead belong to whatever follows the member.
        size_t ahead = state->read_in_length > 0 ? (size_t)state->read_in_length / 8 : 0;
        if (ahead > result.taken)
            result.status = ISAL_INVALID_WRAPPER;
        else
            result.taken -= ahead;
    }
    state->next_in = NULL;
    state->next_out = NULL;
    return result;
}

/// What compressing works with: 440 KB, too much for a stack.
struct cairn_deflate_memory {
    struct isal_zstream stream;
    uint8_t level[ISAL_DEF_LVL3_DEFAULT];
};

/// Compresses all of `input` into raw deflate that ends with an empty stored block at a byte's border, none of its
/// blocks being marked final. Answers the bytes written, 0 if they do not fit.
static inline size_t cairn_deflate_run(struct cairn_deflate_memory *memory, uint32_t level, const uint8_t *input,
                                       size_t input_count, uint8_t *output, size_t output_count) {
    // The library takes 32-bit counts; no text is as long.
    if (input_count > UINT32_MAX || output_count > UINT32_MAX)
        return 0;
    struct isal_zstream *stream = &memory->stream;
    isal_deflate_init(stream);
    stream->level = level;
    stream->level_buf = memory->level;
    stream->level_buf_size = sizeof memory->level;
    stream->flush = SYNC_FLUSH;
    stream->next_in = (uint8_t *)input;
    stream->avail_in = (uint32_t)input_count;
    stream->next_out = output;
    stream->avail_out = (uint32_t)output_count;
    int status = isal_deflate(stream);
    // Room that is left tells that the flush was written, too.
    return status == COMP_OK && stream->avail_in == 0 && stream->avail_out > 0 ? stream->total_out : 0;
}

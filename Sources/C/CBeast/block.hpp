#pragma once

#include "CBeast.h"

#include <cstddef>
#include <memory>

/// Bytes to send, with room in front for the lines that the server writes (or a chunk's size) and two bytes behind.
struct cb_block {
    static constexpr size_t front = 512;
    static constexpr size_t back = 8;

    size_t begin;
    size_t end;
    cb_block *next;
    char bytes[1];

    const char *data() const { return bytes + begin; }
    size_t size() const { return end - begin; }
};

namespace cb {

struct BlockDeleter {
    void operator()(cb_block *block) const { cb_block_destroy(block); }
};
using Block = std::unique_ptr<cb_block, BlockDeleter>;

} // namespace cb

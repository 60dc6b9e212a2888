#pragma once

#include "block.hpp"

#include <cstdint>
#include <ctime>
#include <string>

namespace cb {

/// The text of HTTP's `Date`, made once per second.
class DateCache {
  public:
    const std::string &now();

  private:
    std::time_t second = -1;
    std::string text;
};

struct HeadLines {
    int status;
    /// −1: no such line.
    int64_t content_length;
    bool chunked;
    bool close;
    /// To a client of HTTP/1.0 that asked for it.
    bool keep_alive;
};

/// Puts the status line and the server's own fields in front of what the block holds.
void prepend_head(cb_block &block, const HeadLines &lines, const std::string &date, const std::string &server);
/// Makes the block one chunk.
void frame_chunk(cb_block &block);
/// A block that holds `text` and may get more in front.
Block text_block(const char *text, size_t length);

} // namespace cb
